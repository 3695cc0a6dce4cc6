import { CHAT_RULES } from './chat-rules.ts'
import { MODE_RULES } from './mode-rules.ts'
import type { Rule } from './rule.ts'

/** All rules, chat first. */
export const RULES: readonly Rule[] = [...CHAT_RULES, ...MODE_RULES]

/** The rule of that name. */
export function ruleNamed(name: string): Rule | undefined {
  return RULES.find((rule) => rule.name === name)
}
