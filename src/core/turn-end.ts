import { attempt } from './attempt.ts'

/**
 * Gives a function that puts off what it is called with to the end of this turn of the event loop, where all of it is done
 * one after the other; or until there are `most`, because what waits long is held, and outlives collections. Whoever writes
 * to many sockets so wakes their readers once, where these are on the same machine: to wake somebody for each costs as much
 * as the write itself. In between the loop does more of the same, for which its caches are warm. What one of them throws is
 * nobody's to catch, and keeps none of the others from being done.
 */
export function atTurnEnd(most = MOST): (act: () => void) => void {
  let waiting: (() => void)[] = []
  const actOnAll = (): void => {
    const now = waiting
    waiting = []
    for (const act of now) attempt(act, throwLater)
  }
  return (act) => {
    const count = waiting.push(act)
    if (count === 1) setImmediate(actOnAll)
    else if (count === most) actOnAll()
  }
}

const MOST = 32

function throwLater(thrown: unknown): void {
  setImmediate(() => {
    throw thrown
  })
}
