import { createApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { closest } from '../core/closest.ts'
import { shortId, type Deployment } from '../core/deployment.ts'
import { isJsonObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { silentLog } from '../core/log.ts'
import { createRedact } from '../core/secret.ts'
import { readConfig } from '../read-config.ts'
import type { Command } from './args.ts'
import { AskError } from './ask.ts'
import { EXIT } from './exit-code.ts'
import { explainedSettings } from './explained-settings.ts'
import { askGateway, gatewayThere } from './gateway-there.ts'
import { printProblems } from './problems.ts'
import type { Shell } from './shell.ts'
import { fit, widest, wrap } from './table.ts'
import { oneLine } from './terminal.ts'

/** A gateway that runs answers from memory. */
const ANSWER_MS = 5000
const LEAST_ID_CHARS = 6
const MOST_EXPLAINED = 20
const GAP = '  '

/** `pulsegate explain NAME FILE`: each setting and where it comes from, and how it is, if a gateway runs. */
export async function explain(command: Extract<Command, { kind: 'explain' }>, shell: Shell): Promise<number> {
  const { terminal, env, clock, random, version } = shell
  const { config, written, problems } = await readConfig(command.path, env)
  const fatal = problems.filter(({ severity }) => severity === 'fatal')
  printProblems(fatal, terminal)
  if (config === undefined || written === undefined) return EXIT.refused
  const found = find(config, command.name)
  if (found.length === 0) {
    terminal.err(`pulsegate: ${unknownName(config, command.name)}`)
    return EXIT.refused
  }
  const redact = createRedact(config.secrets)
  shell.hideSecrets(redact)
  const app = await createApp(config, {
    log: silentLog,
    redact,
    clock,
    random,
    version,
    host: '127.0.0.1',
    port: 0,
  })
  const gateway = { ...gatewayThere(command.address, config, env), deadlineMs: ANSWER_MS }
  let isThere = true
  for (const deployment of found.slice(0, MOST_EXPLAINED)) {
    const settings = explainedSettings({
      config,
      written,
      deployment,
      address: app.address(deployment.index),
    })
    for (const line of settingLines(deployment, settings, shell)) terminal.out(redact(line))
    // One deadline is enough where nobody answers.
    const verdict: HowItIs = isThere ? await verdictOf(deployment, gateway) : { lost: 'as above' }
    isThere = !('lost' in verdict)
    const words = 'lost' in verdict ? `How it is: nobody knows here, for ${verdict.lost}.` : verdict.words
    for (const line of wrap(oneLine(words), terminal.width)) terminal.out(line)
    terminal.out('')
  }
  const left = found.length - MOST_EXPLAINED
  if (left > 0) terminal.out(`… and ${left} more: name one by its id`)
  await app.close()
  return EXIT.ok
}

/** By id or its beginning, by group, by model. */
function find({ deployments }: Config, name: string): readonly Deployment[] {
  const exact = deployments.filter(({ id, group, model }) => id === name || group === name || model === name)
  if (exact.length > 0 || name.length < LEAST_ID_CHARS) return exact
  return deployments.filter(({ id }) => id.startsWith(name))
}

function unknownName({ deployments }: Config, name: string): string {
  const close = closest(
    name,
    deployments.flatMap(({ group, model, id }) => [group, model, id]),
  )
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  return `no group, model or id in the config is ${JSON.stringify(name)}${hint}`
}

function settingLines(
  { group, model, id, misconfigured }: Deployment,
  settings: ReturnType<typeof explainedSettings>,
  { terminal: { width, paint } }: Shell,
): readonly string[] {
  const name = Math.min(widest(['SETTING', ...settings.map((each) => each.name)]), 32)
  const sources = widest(['FROM', ...settings.map(({ from }) => from)])
  const values = widest(['VALUE', ...settings.map(({ value }) => oneLine(value))])
  // The place is what one came for: the value gives way first.
  const value = Math.max(Math.min(values, width - name - sources - 2 * GAP.length), 12)
  const line = (cells: readonly [string, string, string]): string =>
    `${fit(cells[0], name)}${GAP}${fit(oneLine(cells[1]), value)}${GAP}${oneLine(cells[2])}`.trimEnd()
  return [
    paint('bold', oneLine(`${group} (${model}), id ${shortId(id)}`)),
    ...(misconfigured === undefined ? [] : wrap(`Cannot be called: ${misconfigured.message}`, width)),
    '',
    paint('bold', line(['SETTING', 'VALUE', 'FROM'])),
    ...settings.map((each) => line([each.name, each.value, each.from])),
    '',
  ]
}

type HowItIs = { readonly words: string } | { readonly lost: string }

/** One paragraph for somebody who was just woken, or why there is none. */
async function verdictOf({ id }: Deployment, gateway: ReturnType<typeof gatewayThere>): Promise<HowItIs> {
  try {
    const path = `/health/deployments/${id.split('/').map(encodeURIComponent).join('/')}`
    const { status, body } = await askGateway(gateway, path, [200, 404])
    if (status === 404)
      return { words: `How it is: the gateway at ${gateway.url} does not have this deployment.` }
    const list = body['deployments']
    const view: Json | undefined = Array.isArray(list) ? list[0] : undefined
    return { words: isJsonObject(view) ? paragraphOf(view) : 'How it is: the gateway does not say.' }
  } catch (error) {
    if (error instanceof AskError) return { lost: error.message }
    throw error
  }
}

function paragraphOf(view: JsonObject): string {
  const why = text(view['why']) ?? text(view['health_state']) ?? ''
  const weight = view['weight']
  const share =
    typeof weight === 'number' && weight < 1 ? ` with ${Math.round(weight * 100)} % of a full share` : ''
  const until = text(view['until'])
  const back = until === undefined ? '' : `, until ${until} at the earliest`
  const rotation = view['in_rotation'] === true ? `It gets traffic${share}.` : `It gets no traffic${back}.`
  const error = text(view['error'])
  const last = error === undefined || view['health_state'] === 'HEALTHY' ? [] : [`The last failure: ${error}`]
  return ['How it is:', why, rotation, ...last, nextLook(view['next_probe'])].join(' ')
}

function nextLook(probe: Json | undefined): string {
  if (!isJsonObject(probe)) return 'No look at it is planned.'
  const price = probe['price_usd']
  const cost = typeof price !== 'number' ? '' : price === 0 ? ', for nothing' : `, for $${price}`
  return probe['rung'] === 'trial'
    ? `One request of a client is let through from ${text(probe['at']) ?? 'now'} on.`
    : `It is looked at next at ${text(probe['at']) ?? 'an unknown time'}${cost}.`
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
