/** What was thrown, in words. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The first frame of a stack that is a file: the function, if it has a name, and the place. */
const FRAME = /^\s+at (?:async )?(?:(\S+)(?: \[as \S+\])? \()?(?:file:\/\/)?\/\S*?([^/\s]+:\d+):\d+\)?$/m

/** Where in our code it was thrown. */
export function placeOf(thrown: Error): string | undefined {
  const [, name, place] = FRAME.exec(thrown.stack ?? '') ?? []
  return place === undefined || name === undefined ? place : `${name}, ${place}`
}

/** What all of it began with; errors name their causes. */
export function rootOf(thrown: Error): Error {
  let root = thrown
  for (let depth = 0; depth < MOST_CAUSES && root.cause instanceof Error; depth += 1) root = root.cause
  return root
}

const MOST_CAUSES = 8
