import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { failureWords } from '../core/failure-words.ts'
import type { Board } from './board.ts'
import { isLimping, listOf } from './report.ts'

/** What `application/health+json` calls a state. */
export type HealthWord = 'pass' | 'warn' | 'fail'

/** The body of `GET /health` as `application/health+json` (draft-inadarei-api-health-check-06), and its status. */
export interface HealthJson {
  readonly status: 200 | 503
  readonly text: string
}

/** What it is made from. */
export interface HealthJsonDeps {
  readonly board: Pick<Board, 'health'>
  readonly version: string
  readonly details: boolean
  /** Lets others have the event loop, and goes on afterwards. */
  readonly pause: () => Promise<void>
}

/** So many deployments are written in one turn of the event loop. */
const SLICE = 500

/**
 * A `warn` is some deployment that is not well; a `fail`, with a 503, that not one is left: who watches the gateway is
 * not to be woken for one model.
 */
export async function healthJson(scope: readonly Deployment[], deps: HealthJsonDeps): Promise<HealthJson> {
  const { board, pause, version } = deps
  const counts: Record<HealthWord, number> = { pass: 0, warn: 0, fail: 0 }
  const checks = new Map<string, string[]>()
  for (const [at, deployment] of scope.entries()) {
    if (at > 0 && at % SLICE === 0) await pause()
    const health = board.health(deployment.index)
    const word = wordOf(health)
    counts[word] += 1
    // `component:measurement`: a colon in the name would be read as the end of it.
    const name = `${deployment.group.replaceAll(':', '%3A')}:health`
    const known = checks.get(name)
    const text = JSON.stringify(checkOf(deployment, health, word, deps.details))
    if (known === undefined) checks.set(name, [text])
    else known.push(text)
  }
  const { pass, warn, fail } = counts
  const status: HealthWord = pass + warn === 0 ? 'fail' : warn + fail > 0 ? 'warn' : 'pass'
  const head = JSON.stringify({
    status,
    version: '1',
    releaseId: version,
    description: `${pass} pass, ${warn} warn, ${fail} fail`,
  })
  const members = Array.from(checks, ([name, texts]) => `${JSON.stringify(name)}:[${texts.join(',')}]`)
  const text = `${head.slice(0, -1)},"checks":{${members.join(',')}}}`
  return { status: status === 'fail' ? 503 : 200, text }
}

function wordOf(health: Health): HealthWord {
  switch (listOf(health)) {
    case 'healthy':
      return isLimping(health.state) ? 'warn' : 'pass'
    case 'unknown':
      // Nobody ever looks: that is as the operator wants it.
      return health.reason === 'checks_disabled' ? 'pass' : 'warn'
    case 'unhealthy':
      return 'fail'
  }
}

function checkOf(
  deployment: Deployment,
  { state, verdict, reason, error }: Health,
  status: HealthWord,
  details: boolean,
): object {
  const words = reason === undefined ? undefined : `${reason}: ${failureWords(reason)}`
  return {
    componentId: deployment.id,
    componentType: 'component',
    observedValue: state,
    status,
    ...(verdict !== undefined && { time: new Date(verdict.at).toISOString() }),
    ...(details && { model: deployment.model, mode: shownMode(deployment) }),
    // Omitted where all is well, as the draft asks.
    ...(details && status !== 'pass' && { output: (status === 'fail' ? error : undefined) ?? words }),
  }
}
