/** A regular expression as it is written in a config; undefined where it is none. */
export function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
