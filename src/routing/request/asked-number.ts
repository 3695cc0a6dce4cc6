/** More are of no use to anybody who waits. */
const MAX_RETRIES = 20

/** A number of retries as a client may ask for; undefined for anything else. */
export function wholeRetries(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.min(Math.floor(value), MAX_RETRIES) : undefined
}

/** LiteLLM counts in seconds. Anything but a positive number is no deadline. */
export function timeMs(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined
}
