import { KEY } from './messages.ts'

/** A config with its misspelt keys: where they stand, as the program should print them. */
export interface Written {
  readonly text: string
  readonly places: readonly string[]
}

/** So many chat deployments, entries of about 300 bytes as people write them; `odd` of them have a misspelt key. */
export function largeConfig(count: number, base: string, odd: number): Written {
  const lines = ['model_list:']
  const places: string[] = []
  for (let at = 0; at < count; at += 1) {
    lines.push(
      `  - model_name: ${groupOf(at)}`,
      '    litellm_params:',
      `      model: openai/gpt-4o-${at}`,
      `      api_base: ${base}`,
      `      api_key: sk-proj-${String(at).padStart(8, '0')}-abcdefghijklmnop`,
      `      rpm: ${600 + (at % 50)}`,
      '      timeout: 30',
    )
    if (at % Math.ceil(count / Math.max(1, odd)) === 7 && places.length < odd) {
      const key = ['api_bse', 'api_kye', 'timeuot', 'api_versoin', 'organisation'][places.length % 5] ?? ''
      lines.push(`      ${key}: x`)
      places.push(`:${lines.length}:7 model_list.${at}.litellm_params.${key}`)
    }
    lines.push('    model_info:', `      id: deployment-${at}`, '      mode: chat', '      tier: paid')
  }
  lines.push('general_settings:', `  master_key: ${KEY}`, '  drain_delay: 0', '')
  return { text: lines.join('\n'), places }
}

/** The group of a deployment by its place; there are four hundred. */
export function groupOf(at: number): string {
  return `team-${at % 400}-gpt-4o`
}
