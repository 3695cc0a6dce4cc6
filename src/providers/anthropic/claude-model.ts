/** What a Claude model takes, told from its name. */
export interface ClaudeModel {
  /** How it thinks: not at all, within a budget of tokens, or as it sees fit at a level of effort. */
  readonly thinks: 'never' | 'budget' | 'adaptive'
  /** What turns off the thinking that it does unasked; absent: it does none. */
  readonly silence?: 'disabled' | 'between_tools' | 'impossible'
  /** Refuses a budget of thoughts: it thinks as it sees fit, or not at all. */
  readonly refusesBudgets: boolean
  /** Takes a level of effort. */
  readonly knowsEffort: boolean
  /** Knows the effort `xhigh`, between `high` and `max`. */
  readonly knowsXhigh: boolean
  /** Refuses `temperature`, `top_p` and `top_k` but for their defaults. */
  readonly refusesSampling: boolean
  /** Answers in the form of a JSON schema. */
  readonly knowsSchemas: boolean
}

/**
 * Reads the version out of a name: `claude-3-7-sonnet-20250219` is 3.7, `claude-opus-4-20250514` is 4.0,
 * `us.anthropic.claude-sonnet-4-5-20250929-v1:0` is 4.5. A name without one counts as a current model, which refuses
 * nothing before the server does. Sources, read 2026-11-27: thinking by model
 * (https://platform.claude.com/docs/en/build-with-claude/thinking, …/models/fable-5/migration-guide), sampling
 * (https://docs.memberjunction.org/v6.2/api/functions/_memberjunction_ai-anthropic.RejectsSamplingParams.html, which
 * quotes the list), schemas (https://platform.claude.com/docs/en/build-with-claude/structured-outputs).
 */
export function claudeModel(name: string): ClaudeModel {
  const version = versionOf(name)
  if (version === undefined) {
    const isPreview = /mythos/i.test(name)
    return {
      thinks: 'adaptive',
      silence: 'impossible',
      refusesBudgets: isPreview,
      knowsEffort: true,
      knowsXhigh: true,
      refusesSampling: isPreview,
      knowsSchemas: true,
    }
  }
  const silence = silenceOf(name, version)
  return {
    thinks: version < 3.07 ? 'never' : version < 4.06 ? 'budget' : 'adaptive',
    ...(silence !== undefined && { silence }),
    refusesBudgets: version >= 4.07,
    knowsEffort: version >= 4.06 || /opus-4-5/.test(name),
    knowsXhigh: version >= 4.07,
    refusesSampling: version >= 4.07,
    knowsSchemas: version >= 4.05 || /opus-4-1/.test(name),
  }
}

/** 4.10 comes after 4.9: the second number counts in hundredths. */
function versionOf(name: string): number | undefined {
  const [, major, minor = '0'] = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/i.exec(name) ?? []
  return major === undefined ? undefined : Number(major) + Number(minor) / 100
}

function silenceOf(name: string, version: number): ClaudeModel['silence'] {
  if (version < 5) return undefined
  if (/fable|mythos/.test(name)) return 'impossible'
  if (version < 5.05 || /haiku/.test(name)) return 'disabled'
  return /sonnet/.test(name) ? 'between_tools' : 'impossible'
}
