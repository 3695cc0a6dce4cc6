import { createSignWatch } from '../surfaces/sign-watch.ts'
import { createEventGate } from './event-gate.ts'
import type { EventGate } from './event-gate.ts'
import { createEventWatch } from './event-watch.ts'
import type { EventWatch, Sign } from './event-watch.ts'
import type { PassageOptions } from './passage-options.ts'

/** Opens the gate that a stream passes, with a watch behind it. `heard` is told of lines that say anything. */
export function openEvents(
  { redact, model, shape }: Pick<PassageOptions, 'redact' | 'model' | 'shape'>,
  heard: (sign: Exclude<Sign, 'nothing'>) => void,
): { readonly gate: EventGate; readonly watch: EventWatch } {
  const signs = shape.kind === 'object' ? shape.signs : undefined
  const watch = signs === undefined ? createEventWatch() : createSignWatch(signs)
  const gate = createEventGate({
    redact,
    see: (lines, isPlain) => {
      const sign = watch.see(lines, isPlain)
      if (sign !== 'nothing') heard(sign)
    },
    ...(model !== undefined && { model }),
    ...(signs !== undefined && { telling: signs.telling }),
  })
  return { gate, watch }
}
