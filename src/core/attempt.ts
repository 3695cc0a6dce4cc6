/** Runs what nobody else would catch an error of; what it throws is told to `broken`. */
export function attempt(run: () => void, broken: (thrown: unknown) => void): void {
  try {
    run()
  } catch (thrown) {
    broken(thrown)
  }
}
