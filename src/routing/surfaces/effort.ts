/** Thinking budgets in OpenAI's words for them; the bounds are LiteLLM's. */
const EFFORTS: readonly (readonly [least: number, effort: string])[] = [
  [10_000, 'high'],
  [5_000, 'medium'],
  [0, 'low'],
]

/** How hard somebody thinks who is given so many tokens for it; undefined: that is no budget. */
export function effortOfBudget(tokens: number): string | undefined {
  return EFFORTS.find(([least]) => tokens >= least)?.[1]
}
