/**
 * Gives a function that puts off what it is called with to the end of this turn of the event loop, where `act` gets one
 * after the other; or until there are `most` of them, because what waits long is held, and outlives collections. Whoever
 * writes to many sockets so wakes their readers once, where these are on the same machine: to wake somebody for each costs
 * as much as the write itself. In between the loop does more of the same, for which its caches are warm. What `act` throws
 * is nobody's to catch, and keeps it from none of the others.
 */
export function atTurnEnd<Each>(act: (each: Each) => void, most = MOST): (each: Each) => void {
  let waiting: Each[] = []
  const actOnAll = (): void => {
    const now = waiting
    waiting = []
    for (const each of now) {
      try {
        act(each)
      } catch (error) {
        setImmediate(() => {
          throw error
        })
      }
    }
  }
  return (each) => {
    const count = waiting.push(each)
    if (count === 1) setImmediate(actOnAll)
    else if (count === most) actOnAll()
  }
}

const MOST = 32
