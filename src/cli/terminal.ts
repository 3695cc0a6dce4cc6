/** How a piece of text is meant; the colours follow from it. */
export type Tone = 'good' | 'bad' | 'wait' | 'dim' | 'bold'

/** Text dressed for where it goes: the same text where colour is not wanted. */
export type Paint = (tone: Tone, text: string) => string

/** Where a command writes. */
export interface Terminal {
  /** One line (or several) to stdout. */
  readonly out: (text: string) => void
  /** One line (or several) to stderr. */
  readonly err: (text: string) => void
  /** For what goes to stdout. */
  readonly paint: Paint
  /** For what goes to stderr. */
  readonly paintError: Paint
  /** Columns of stdout. */
  readonly width: number
  /** Where stdout can be drawn on again; absent: it is a file, a pipe, or a terminal that cannot. */
  readonly screen?: Screen
}

/** Lines that are drawn in place. */
export interface Screen {
  /** Draws over the last `replaced` lines, which were drawn before and after which nothing else was. */
  draw(lines: readonly string[], replaced: number): void
  /** How many lines fit. */
  height(): number
}

/** What we use of a stream. */
interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** Where no terminal says how wide it is: logs and files take longer lines than 80. */
const DEFAULT_WIDTH = 132
const MIN_WIDTH = 40
/** Where a terminal does not say how high it is. */
const DEFAULT_HEIGHT = 24

const CODES: Readonly<Record<Tone, readonly [number, number]>> = {
  good: [32, 39],
  bad: [31, 39],
  wait: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
}

/** A terminal over two streams. Colours: no-color.org's NO_COLOR, then FORCE_COLOR, then whether it is a TTY. */
export function createTerminal(
  stdout: Sink,
  stderr: Sink,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const columns = stdout.columns ?? Number(env['COLUMNS'])
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    paint: painter(wantsColour(stdout, env)),
    paintError: painter(wantsColour(stderr, env)),
    width: columns > 0 ? Math.max(columns, MIN_WIDTH) : DEFAULT_WIDTH,
    ...(stdout.isTTY === true && env['TERM'] !== 'dumb' && { screen: createScreen(stdout) }),
  }
}

/** Cursor up, and each line cleared to its end before the next; what is left below is cleared too (ECMA-48). */
function createScreen(stdout: Sink): Screen {
  return {
    draw: (lines, replaced) => {
      const up = replaced > 0 ? `\u001B[${replaced}A\r` : ''
      stdout.write(`${up}${lines.map((line) => `${line}\u001B[K\n`).join('')}\u001B[J`)
    },
    height: () => stdout.rows ?? DEFAULT_HEIGHT,
  }
}

/** The Paint that colours, or the one that leaves text as it is. */
export function painter(isColoured: boolean): Paint {
  if (!isColoured) return (_, text) => text
  return (tone, text) => {
    const [on, off] = CODES[tone]
    return `\u001B[${on}m${text}\u001B[${off}m`
  }
}

function wantsColour(stream: Sink, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** Foreign text made harmless: control characters, which could drive the terminal, become spaces. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ').trim()
}
