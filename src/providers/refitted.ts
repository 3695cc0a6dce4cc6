/** A body that was written anew in places, and its members that do not go with the new form. */
export interface Refitted {
  readonly body: Buffer
  readonly dropped: readonly string[]
}
