import type { Config, Written } from '../config/config.ts'
import { variableOf } from '../config/env.ts'
import { child, type YamlNode } from '../config/node.ts'
import { lineAndColumn } from '../config/problem.ts'
import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import type { EngineRuleSet } from '../health/engine-rules.ts'

/** What an explanation is made from. */
export interface ExplainedFrom {
  readonly config: Config
  readonly written: Written
  readonly deployment: Deployment
  /** Where its requests go; undefined where it cannot be called. */
  readonly address: string | undefined
}

/** Where a setting may stand, nearest first: `params` and `info` are the deployment's. */
export type Place = readonly [block: Block, ...names: string[]]
/** Where settings stand. */
export type Block = 'entry' | 'params' | 'info' | 'general' | 'router' | 'library'

/** The same, and what follows from it. */
export interface Facts extends ExplainedFrom {
  readonly engine: EngineRuleSet
}

/** A setting that there is. */
export interface Spec {
  readonly name: string
  readonly places: readonly Place[]
  readonly variable?: string
  /** What holds, wherever it comes from; undefined: nothing. */
  readonly value: (facts: Facts) => string | undefined
  /** Where it comes from if it is written nowhere; absent: it is the default. */
  readonly otherwise?: (facts: Facts) => string
}

const seconds = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : `${ms / 1000} s`
const flag = (value: boolean): string => (value ? 'true' : 'false')
const number = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(value)
const dollars = (value: number): string | undefined =>
  value === Number.POSITIVE_INFINITY ? undefined : `$${value} a day`

const DEPLOYMENT: readonly Spec[] = [
  { name: 'model', places: [['params', 'model']], value: ({ deployment }) => deployment.model },
  {
    name: 'provider',
    places: [['params', 'custom_llm_provider']],
    value: ({ deployment }) => deployment.provider,
    otherwise: () => "the model's name",
  },
  {
    name: 'mode',
    places: [
      ['info', 'mode'],
      ['params', 'mode'],
    ],
    value: ({ deployment }) => shownMode(deployment),
    otherwise: ({ deployment: { modeSource } }) =>
      modeSource === 'name'
        ? "the model's name"
        : modeSource === 'catalogue'
          ? 'the catalogue of models'
          : 'default',
  },
  {
    name: 'api_base',
    places: [['params', 'api_base', 'base_url']],
    value: ({ address, deployment }) => deployment.connection.apiBase ?? address,
    otherwise: (facts) => addressSource(facts),
  },
  {
    name: 'api_key',
    places: [['params', 'api_key', 'azure_ad_token']],
    value: ({ deployment: { connection }, address }) =>
      connection.apiKey !== undefined || connection.azureAdToken !== undefined
        ? '[set]'
        : address === undefined
          ? undefined
          : '[not written]',
    otherwise: ({ address }) =>
      address === undefined ? 'default' : "the provider's own variable, or none is needed",
  },
  {
    name: 'api_version',
    places: [['params', 'api_version']],
    value: ({ deployment }) => deployment.connection.apiVersion,
  },
  {
    name: 'ssl_verify',
    // The order of the program: a deployment's, then the variable, then the config's.
    places: [['params', 'ssl_verify']],
    value: ({ deployment, config }) => String(deployment.connection.sslVerify ?? config.network.sslVerify),
    otherwise: ({ config, written }) => {
      if ((config.env['SSL_VERIFY'] ?? '').trim() !== '') return '$SSL_VERIFY'
      const node = child(child(written.root, 'litellm_settings'), 'ssl_verify')
      return node === undefined ? 'default' : placeOf(node)
    },
  },
  {
    name: 'timeout',
    places: [
      ['params', 'timeout', 'request_timeout'],
      ['router', 'timeout'],
      ['library', 'request_timeout'],
    ],
    value: ({ deployment, config }) =>
      seconds(deployment.timeouts.timeoutMs ?? config.litellm.requestTimeoutMs),
  },
  {
    name: 'stream_timeout',
    places: [
      ['params', 'stream_timeout'],
      ['router', 'stream_timeout'],
      ['library', 'stream_timeout'],
    ],
    value: ({ deployment, config }) =>
      seconds(deployment.timeouts.streamTimeoutMs ?? config.router.streamTimeoutMs),
  },
  {
    name: 'num_retries',
    places: [
      ['params', 'num_retries'],
      ['router', 'num_retries'],
      ['library', 'num_retries'],
    ],
    value: ({ deployment: { traffic }, config }) => {
      const { numRetries: own, leastRetries: least = 0 } = traffic ?? {}
      const routers = config.router.numRetries
      return own === undefined && least > routers ? `${least} (max_retries)` : number(own ?? routers)
    },
  },
  {
    name: 'cooldown_time',
    places: [
      ['params', 'cooldown_time'],
      ['router', 'cooldown_time'],
    ],
    value: ({ deployment, engine }) => seconds(deployment.traffic?.cooldownMs ?? engine.look.down.firstMs),
  },
  limit('order', ({ order }) => order),
  limit('weight', ({ weight }) => weight),
  limit('rpm', ({ rpm }) => rpm),
  limit('tpm', ({ tpm }) => tpm),
  {
    name: 'max_parallel_requests',
    places: [
      ['params', 'max_parallel_requests'],
      ['router', 'default_max_parallel_requests'],
    ],
    value: ({ deployment, config }) =>
      number(deployment.traffic?.maxParallelRequests ?? config.router.defaultMaxParallelRequests),
  },
]

function limit(name: string, of: (traffic: NonNullable<Deployment['traffic']>) => number | undefined): Spec {
  return {
    name,
    places: [
      ['params', name],
      ['entry', name],
      ['info', name],
    ],
    value: ({ deployment: { traffic } }) => number(traffic && of(traffic)),
  }
}

const general = (name: string): readonly Place[] => [['general', name]]

const HEALTH: readonly Spec[] = [
  {
    name: 'background_health_checks',
    places: general('background_health_checks'),
    value: ({ config }) => flag(config.general.backgroundHealthChecks),
  },
  {
    name: 'disable_background_health_check',
    places: [['info', 'disable_background_health_check']],
    value: ({ deployment }) => flag(deployment.probe.backgroundDisabled),
  },
  {
    name: 'health_check_interval',
    places: general('health_check_interval'),
    variable: 'DEFAULT_HEALTH_CHECK_INTERVAL',
    value: ({ engine }) => seconds(engine.look.intervalMs),
  },
  {
    name: 'health_check_idle_max',
    places: general('health_check_idle_max'),
    value: ({ engine }) => seconds(engine.look.idleMostMs),
    otherwise: ({ config }) =>
      config.engine.intervalMs === undefined ? 'default' : 'as health_check_interval',
  },
  {
    name: 'health_check_strategy',
    places: general('health_check_strategy'),
    value: ({ engine }) => engine.look.strategy,
    otherwise: ({ config }) => (config.engine.isLooking ? 'default' : 'background checks are off'),
  },
  {
    name: 'health_check_on_request',
    places: general('health_check_on_request'),
    value: ({
      config: {
        general: { healthCheckOnRequest, backgroundHealthChecks },
      },
    }) => healthCheckOnRequest ?? (backgroundHealthChecks ? 'never' : 'always'),
  },
  {
    name: 'health_check_timeout',
    places: [['info', 'health_check_timeout']],
    variable: 'HEALTH_CHECK_TIMEOUT_SECONDS',
    value: ({ deployment, config }) => seconds(deployment.probe.timeoutMs ?? config.probing.timeoutMs),
  },
  {
    name: 'health_check_model',
    places: [['info', 'health_check_model']],
    value: ({ deployment }) => deployment.probe.model?.model,
  },
  {
    name: 'health_check_max_tokens',
    places: [['info', 'health_check_max_tokens']],
    variable: 'BACKGROUND_HEALTH_CHECK_MAX_TOKENS',
    value: ({ deployment, config }) => String(deployment.probe.maxTokens ?? config.probing.maxTokens ?? 16),
  },
  {
    name: 'health_check_budget',
    places: general('health_check_budget'),
    value: ({ engine: { purse } }) => dollars(purse.usdPerDay),
  },
  {
    name: 'enable_health_check_routing',
    places: general('enable_health_check_routing'),
    value: ({ engine }) => flag(engine.rules.isProbeHeeded),
  },
  {
    name: 'health_check_staleness_threshold',
    places: general('health_check_staleness_threshold'),
    value: ({ engine }) => seconds(engine.rules.forgetMs),
  },
  {
    name: 'health_check_panic',
    places: general('health_check_panic'),
    value: ({ engine }) => (engine.hasLastResort ? 'on' : 'off'),
  },
  {
    name: 'health_check_self_isolation',
    places: general('health_check_self_isolation'),
    value: ({ engine }) => (engine.rules.noticesIsolation ? 'on' : 'off'),
  },
]

/** All settings that decide about a deployment, in the order in which they are shown. */
export const SPECS: readonly Spec[] = [...DEPLOYMENT, ...HEALTH]

/** File and line; where a variable is named there, that first. */
export function placeOf(node: YamlNode): string {
  const { line } = lineAndColumn(node.source, node.at)
  const place = `${node.source.file}:${line}`
  const variable = variableOf(node)
  return variable === undefined ? place : `$${variable}, ${place}`
}

/** The variable that holds the address, where one does. */
function addressSource({ address, config }: Facts): string {
  if (address === undefined) return 'default'
  const bare = address.replace(/\/+$/, '')
  for (const [name, value] of Object.entries(config.env))
    if (/_(?:BASE|URL|ENDPOINT|HOST)$/.test(name) && value !== undefined && value.length > 7)
      if (bare.startsWith(value.trim().replace(/\/+$/, ''))) return `$${name}`
  return "the provider's own"
}
