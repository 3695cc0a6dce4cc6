/** What is shown for some time; seconds. */
export interface Caption {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Captions as SubRip, or as WebVTT (https://www.w3.org/TR/webvtt1/), each as OpenAI writes it. */
export function toSubtitles(captions: readonly Caption[], format: 'srt' | 'vtt'): string {
  if (format === 'srt') {
    return captions.map((caption, at) => `${at + 1}\n${times(caption, ',')}\n${shown(caption)}\n\n`).join('')
  }
  return `WEBVTT\n\n${captions.map((caption) => `${times(caption, '.')}\n${shown(caption)}\n\n`).join('')}`
}

function times({ start, end }: Caption, point: ',' | '.'): string {
  return `${clockTime(start, point)} --> ${clockTime(end, point)}`
}

function clockTime(seconds: number, point: ',' | '.'): string {
  const ms = Math.max(Math.round(seconds * 1_000), 0)
  const part = (unitMs: number, most: number, digits: number): string =>
    String(Math.floor(ms / unitMs) % most).padStart(digits, '0')
  return `${part(3_600_000, 100, 2)}:${part(60_000, 60, 2)}:${part(1_000, 60, 2)}${point}${part(1, 1_000, 3)}`
}

/** A blank line would end the caption, an arrow make it another one. */
function shown({ text }: Caption): string {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, '\n')
    .replaceAll('-->', '→')
}
