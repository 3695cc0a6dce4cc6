import { parseArgs } from 'node:util'
import type { SoakLength } from './soak.ts'

/** What a run is asked to do. */
export interface Options {
  /** Only the parts whose title holds this. */
  readonly only: string
  /** Of each scenario; undefined: its own. */
  readonly rounds: number | undefined
  readonly soak: SoakLength | undefined
  readonly peers: boolean
  readonly litellmPython: string | undefined
  readonly nodeFlags: readonly string[]
  readonly build: boolean
  readonly record: boolean
  /** Writes the figures into docs/performance.md. */
  readonly writeDocs: boolean
  readonly help: boolean
}

/** What `--help` says. */
export const HELP = `npm run bench -- [options]
Compares pulsegate with nginx and with a bare node proxy, in one run, on one core; then overload, start and memory.
  --only TEXT            only the parts whose title holds TEXT (scenarios, "overload", "start", "soak")
  --rounds N             as many rounds in each part (default: the part's own)
  --soak LENGTH          also so many mixed requests ("1000000"), or so many seconds of them ("140s")
  --peers                also Portkey, installed from the registry into a temporary folder
  --litellm-python PATH  also LiteLLM, from this Python
  --full                 the same as --soak 1000000 --peers
  --write-docs           put the figures into docs/performance.md
  --no-record            do not append the figures to bench/results.jsonl
  --no-build             measure the dist/pulsegate.js that is there
  --node-flag FLAG       start pulsegate's node with this flag too, as --node-flag=--cpu-prof`

const FULL_SOAK: SoakLength = { requests: 1_000_000 }

/** Reads the command line; throws on what it does not know. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      soak: { type: 'string' },
      peers: { type: 'boolean', default: false },
      'litellm-python': { type: 'string' },
      full: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      'no-record': { type: 'boolean', default: false },
      'node-flag': { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(rounds >= 1)) throw new Error(`--rounds ${values.rounds}: a number, please`)
  return {
    only: values.only,
    rounds,
    soak: values.soak === undefined ? (values.full ? FULL_SOAK : undefined) : soakLength(values.soak),
    peers: values.peers || values.full,
    litellmPython: values['litellm-python'],
    nodeFlags: values['node-flag'],
    build: !values['no-build'],
    record: !values['no-record'],
    writeDocs: values['write-docs'],
    help: values.help,
  }
}

function soakLength(text: string): SoakLength {
  const [, digits = '', unit] = /^(\d+)(s?)$/.exec(text) ?? []
  if (!(Number(digits) > 0)) throw new Error(`--soak ${text}: requests (1000000) or seconds (140s), please`)
  return unit === 's' ? { seconds: Number(digits) } : { requests: Number(digits) }
}
