/** What the process ends with. */
export const EXIT = {
  ok: 0,
  /** `--health`: at least one model is not healthy. */
  unhealthy: 1,
  /** A bad config, a bad command line, or nobody there to ask. */
  refused: 2,
  /** A bug of ours. */
  bug: 3,
} as const
