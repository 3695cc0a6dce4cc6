/** When a request of a model group that has had no first byte is sent to a second deployment as well. */
export interface HedgeRule {
  /** Milliseconds; or after as long as 95 % of the group's recent requests took. */
  readonly after: number | 'p95'
  /** Of the group's recent requests so many at most, above 0 and up to 1. */
  readonly share: number
}
