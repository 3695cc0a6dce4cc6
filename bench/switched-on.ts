import { existsSync, readFileSync } from 'node:fs'
import { askOnce, type Answer } from './ask-once.ts'
import type { Own } from './contestants.ts'
import { chatRequest, KEY } from './messages.ts'

/** One thing that a gateway does for a request, and whether this one was seen to do it. */
export interface Duty {
  readonly name: string
  readonly isSeen: boolean
}

const ANSWER_MS = 5000
const TRIES = 24

/**
 * What the gateway does with the configuration that is measured. Nothing is taken from the configuration: each line
 * is what its answers and its log show.
 */
export async function switchedOn({ port, logFile }: Own): Promise<readonly Duty[]> {
  const ask = (request: Buffer | string): Promise<Answer> => askOnce(port, request, ANSWER_MS)
  const asKey = (key: string): string => chatRequest('small', port).toString().replace(KEY, key)
  const unauthorized = await ask(asKey('sk-wrong'))
  const answers: Answer[] = []
  for (let left = TRIES; left > 0; left--) answers.push(await ask(chatRequest('small', port)))
  const deployments = new Set(answers.map(({ head }) => /\r\nx-litellm-model-id: *(\S+)/i.exec(head)?.[1]))
  const refused = await ask(chatRequest('refused', port))
  const metrics = await ask(
    `GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${KEY}\r\n\r\n`,
  )
  const log = existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
  const heads = answers.map(({ head }) => head.toLowerCase())
  const has = (name: string): boolean => heads.every((head) => head.includes(`\r\n${name}`))
  const hasMetrics = metrics.status === 200
  return [
    { name: 'key check', isSeen: unauthorized.status === 401 },
    { name: 'routing over deployments', isSeen: deployments.size > 1 },
    {
      name: 'keys kept out of errors',
      isSeen: refused.status === 400 && !refused.body.includes('sk-upstream'),
    },
    { name: 'routing headers', isSeen: has('x-litellm-model-id') && has('x-litellm-model-group') },
    { name: 'call id', isSeen: has('x-litellm-call-id') },
    { name: 'overhead header', isSeen: has('x-litellm-overhead-duration-ms') },
    { name: 'provider headers', isSeen: has('llm_provider-') },
    { name: 'log of failures', isSeen: log.includes('request_failed') },
    { name: 'log of successes', isSeen: /"event":"request_done/.test(log) },
    { name: 'metrics', isSeen: hasMetrics },
    { name: 'usage counted', isSeen: hasMetrics && /^[^#\n]*tokens[^\n]* [1-9]/m.test(metrics.body) },
  ]
}

/** In two lines. */
export function reportDuties(duties: readonly Duty[]): string {
  const named = (isSeen: boolean): string =>
    duties.flatMap((duty) => (duty.isSeen === isSeen ? duty.name : [])).join(', ')
  const off = named(false)
  return `pulsegate, default settings, seen at work: ${named(true)}.${off === '' ? '' : `\nNot seen: ${off}.`}`
}
