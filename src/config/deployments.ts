import type { Deployment, Misconfiguration } from '../core/deployment.ts'
import type { Resolution, ResolveModel } from '../core/resolve.ts'
import {
  checkBlock,
  checkValue,
  reportEntryKey,
  reportInfo,
  reportNested,
  reportParam,
  type Report,
} from './check.ts'
import type { Environment } from './config.ts'
import { connectionOf, plainText, timeoutsOf } from './connection.ts'
import { modeOf, reportMode } from './deployment-mode.ts'
import type { ModeFinding } from './deployment-mode.ts'
import { keepSecrets } from './keep-secrets.ts'
import { blockOf, INFO, PARAMS } from './known-keys.ts'
import { mockOf } from './mock-settings.ts'
import { modelId } from './model-id.ts'
import { child, kindName, scalarText, textOf, type MapNode, type YamlNode } from './node.ts'
import { asMap, resolveParams, type Credential, type CredentialOf, type Params } from './params.ts'
import { probeSettingsOf } from './probe-settings.ts'
import { problemAt } from './problem.ts'
import { fieldRulesOf } from './field-rules.ts'
import { factsOf } from './model-facts.ts'
import { trafficOf } from './routing-settings.ts'
import { deploymentSchema } from './schema-deployment.ts'
import type { SecretBag } from './secrets.ts'
import { bodyDefaultsOf, infoOf, shownOf, shownParamsOf } from './shown.ts'

/** What reading a model_list needs from outside. */
export interface DeploymentInputs {
  readonly env: Environment
  readonly resolve: ResolveModel
  readonly credentialOf: CredentialOf
  /** `default_litellm_params`. */
  readonly defaults: Credential
  readonly bag: SecretBag
  readonly report: Report
}

const ENTRY = blockOf(deploymentSchema.shape)

/** Deployments, and what each was read from. */
export interface ReadDeployments {
  readonly deployments: readonly Deployment[]
  readonly entries: readonly MapNode[]
}

/** Reads the merged model_list. Entries that cannot work stay in the list and say why. */
export function readDeployments(items: readonly YamlNode[], inputs: DeploymentInputs): ReadDeployments {
  const deployments: Deployment[] = []
  const entries: MapNode[] = []
  const first = new Map<string, string>()
  items.forEach((entry, position) => {
    const path = `model_list.${position}`
    if (entry.kind !== 'map') {
      const message = `must be a map with model_name and litellm_params, not ${kindName(entry)}`
      inputs.report(problemAt('fatal', entry, path, message))
      return
    }
    const made = readEntry(entry, path, deployments.length, inputs)
    deployments.push(...made)
    entries.push(...made.map(() => entry))
    if (made[0] !== undefined) reportTwin(made[0], entry, path, first, inputs.report)
  })
  return { deployments, entries }
}

/** One entry: one deployment, or one for each organization, or none where it is for another environment. */
function readEntry(
  entry: MapNode,
  path: string,
  index: number,
  inputs: DeploymentInputs,
): readonly Deployment[] {
  const { report, bag } = inputs
  const paramsNode = child(entry, 'litellm_params')
  const info = child(entry, 'model_info')
  const params = resolveParams(paramsNode, inputs.env, inputs.credentialOf, inputs.defaults)
  checkEntry(entry, params, path, report)
  keepSecrets(asMap(params, entry), PARAMS, bag)
  if (info !== undefined) keepSecrets(info, INFO, bag)
  const environment = environmentOf(info, path, inputs)
  if (environment === 'elsewhere') return []

  const written = textOf(child(paramsNode, 'model'))
  const model = textOf(params.get('model')) ?? written ?? ''
  const group = textOf(child(entry, 'model_name')) ?? model
  const customProvider = textOf(params.get('custom_llm_provider'))
  const apiBase = textOf(params.get('api_base')) ?? textOf(params.get('base_url'))
  const found = inputs.resolve(model, {
    ...(customProvider !== undefined && { customProvider }),
    ...(apiBase !== undefined && { apiBase }),
  })
  const mode = modeOf({ info, group, params, found })
  const badMode = reportMode(mode, info, path, report)
  const misconfigured =
    misconfiguration({ entry, params, path, model, environment, found, report }) ?? badMode
  const whole: Omit<Deployment, 'index' | 'connection' | 'shownParams'> = {
    id: plainText(child(info, 'id')) || modelId(group, params.own),
    group,
    model,
    provider: found.provider,
    upstreamModel: found.upstreamModel,
    ...modeMembers(mode),
    ...(misconfigured && { misconfigured }),
    bodyDefaults: bodyDefaultsOf(params),
    timeouts: timeoutsOf(params),
    ...routedBy(entry, params, info),
    probe: probeSettingsOf(
      info,
      { provider: found.provider, apiBase, customProvider },
      path,
      inputs.resolve,
      report,
    ),
    shown: shownOf(params, limitsOf(entry, info)),
    clientConnectionFields: clientFieldsOf(params),
    info: infoOf(info),
  }
  return organizationsOf(params).map((organization, offset) =>
    Object.assign({}, whole, {
      index: index + offset,
      connection: connectionOf(params, organization, bag),
      shownParams: shownParamsOf(params, organization),
    }),
  )
}

function checkEntry(entry: MapNode, params: Params, path: string, report: Report): void {
  for (const [name, { key, value }] of entry.entries) {
    const known = ENTRY.get(name)
    if (known === undefined) reportEntryKey(scalarText(key), { key, value }, path, report)
    else if (name !== 'litellm_params' && name !== 'model_info')
      checkValue(known, value, `${path}.${name}`, report)
  }
  const raw = child(entry, 'litellm_params')
  const paramsPath = `${path}.litellm_params`
  const resolved = raw?.kind === 'map' ? asMap(params, raw) : raw
  checkBlock(PARAMS, resolved, paramsPath, report, (name, found) =>
    reportParam(name, found, paramsPath, report),
  )
  for (const { key, value } of params.own) reportNested(value, `${paramsPath}.${scalarText(key)}`, report)
  const infoPath = `${path}.model_info`
  checkBlock(INFO, child(entry, 'model_info'), infoPath, report, (name, found) =>
    reportInfo(name, found, infoPath, report),
  )
}

/** `supported_environments` against LITELLM_ENVIRONMENT. */
function environmentOf(
  info: YamlNode | undefined,
  path: string,
  { env, report }: DeploymentInputs,
): 'here' | 'elsewhere' | 'unset' {
  const wanted = child(info, 'supported_environments')
  if (wanted?.kind !== 'list') return 'here'
  const current = env['LITELLM_ENVIRONMENT']
  if (current === undefined || current === '') return 'unset'
  if (wanted.items.some((item) => textOf(item) === current)) return 'here'
  const place = `${path}.model_info.supported_environments`
  report(
    problemAt('note', wanted, place, `not for LITELLM_ENVIRONMENT=${current}; this deployment is left out`),
  )
  return 'elsewhere'
}

interface Findings {
  readonly entry: MapNode
  readonly params: Params
  readonly path: string
  readonly model: string
  readonly environment: 'here' | 'unset'
  readonly found: Resolution
  readonly report: Report
}

/** The first reason why nothing can be sent; every reason is reported. */
function misconfiguration(findings: Findings): Misconfiguration | undefined {
  const { entry, params, path, model, environment, found, report } = findings
  const reasons: Misconfiguration[] = []
  const add = (place: Pick<YamlNode, 'source' | 'at'>, where: string, message: string): void => {
    report(problemAt('error', place, `${path}${where}`, message))
    reasons.push({ message: `${path}${where}: ${message}` })
  }
  if (child(entry, 'model_name') === undefined) {
    add(entry, '', 'model_name is missing; it is what clients ask for')
  }
  for (const { param, variable, place } of params.unset) {
    add(
      place,
      `.litellm_params.${param}`,
      `the environment variable ${variable} is not set; set it, or remove this line`,
    )
  }
  const key = params.get('api_key')
  if (key !== undefined && textOf(key)?.startsWith('oidc/') === true)
    add(key, '.litellm_params.api_key', 'tokens from an OIDC provider are not supported here; use a key')
  if (environment === 'unset') {
    add(
      entry,
      '.model_info.supported_environments',
      'the environment variable LITELLM_ENVIRONMENT is not set; set it, or remove this line',
    )
  }
  const paramsNode = child(entry, 'litellm_params')
  const place = child(paramsNode, 'model')
  // A model or params of the wrong type were reported as such.
  const isMissing =
    model === '' &&
    (place === undefined || textOf(place) === '') &&
    (paramsNode === undefined || paramsNode.kind === 'map')
  if (isMissing) add(place ?? entry, '.litellm_params.model', 'is missing; write `<provider>/<model>`')
  else if (place !== undefined && found.problem !== undefined && textOf(params.get('model')) !== undefined) {
    add(place, '.litellm_params.model', found.problem)
  }
  return reasons[0]
}

/** A list of organizations makes one deployment each; they share the id, as in LiteLLM. */
function organizationsOf(params: Params): readonly (YamlNode | undefined)[] {
  const node = params.get('organization')
  return node?.kind === 'list' && node.items.length > 0
    ? node.items
    : [node?.kind === 'list' ? undefined : node]
}

/** What routing is told of a deployment. */
function routedBy(
  entry: MapNode,
  params: Params,
  info: YamlNode | undefined,
): Pick<Deployment, 'traffic' | 'facts' | 'fieldRules' | 'mockResponse' | 'mockDelayMs'> {
  return {
    ...trafficOf(params, limitsOf(entry, info)),
    ...factsOf(params, info),
    ...fieldRulesOf(params),
    ...mockOf(params),
  }
}

/** rpm and tpm may stand beside litellm_params, or in model_info. */
function limitsOf(
  entry: MapNode,
  info: YamlNode | undefined,
): Readonly<Record<string, YamlNode | undefined>> {
  return {
    rpm: child(entry, 'rpm') ?? child(info, 'rpm'),
    tpm: child(entry, 'tpm') ?? child(info, 'tpm'),
  }
}

/** Names, or maps whose keys are names (`- api_base: "^https://…"`). */
function clientFieldsOf(params: Params): readonly string[] {
  const node = params.get('configurable_clientside_auth_params')
  if (node?.kind !== 'list') return []
  return node.items.flatMap((item) =>
    item.kind === 'map' ? Array.from(item.entries.keys()) : (textOf(item) ?? []),
  )
}

/** Warns of an id that an earlier entry has too; both deployments stay. */
function reportTwin(
  made: Deployment,
  entry: MapNode,
  path: string,
  first: Map<string, string>,
  report: Report,
): void {
  const other = first.get(made.id)
  if (other === undefined) first.set(made.id, `${path} ("${made.group}")`)
  else {
    const message = `"${made.group}" has the same id as ${other}: ${made.id}; both are kept, set model_info.id to tell them apart`
    report(problemAt('warning', entry, path, message))
  }
}

function modeMembers({
  mode,
  source,
  surface,
  unprobed,
}: ModeFinding): Pick<Deployment, 'mode' | 'modeSource' | 'surfaceMode' | 'unprobedMode'> {
  return {
    mode,
    modeSource: source,
    ...(surface && { surfaceMode: surface }),
    ...(unprobed && { unprobedMode: unprobed }),
  }
}
