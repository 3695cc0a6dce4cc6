/** What another name of a model group stands for. */
export interface ModelAlias {
  readonly model: string
  /** Answered to, but not listed. */
  readonly isHidden: boolean
}
