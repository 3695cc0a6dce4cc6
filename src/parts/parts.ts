import { randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Log } from '../core/log.ts'
import { createRedact, type Redact } from '../core/secret.ts'
import type { Was } from '../core/was.ts'
import type { Gateway, GatewayDeps } from '../gateway/gateway.ts'
import { createGateway } from '../gateway/server.ts'
import type { Board } from '../health/board.ts'
import { createHealthChecks, type HealthChecks } from '../health/checks.ts'
import { createConnectionTest } from '../health/connection-test.ts'
import { engineRulesOf } from '../health/engine-rules.ts'
import { makeMembers } from '../health/members.ts'
import { createProbePrices } from '../health/probe-price.ts'
import type { LineOrProblem } from '../health/subject.ts'
import { createCredentialsByTransport, type CredentialsByTransport } from '../providers/auth/credentials.ts'
import { openLine } from '../providers/call.ts'
import { loadAdaptersOf, resolveModel } from '../providers/registry.ts'
import { createDirectory } from '../routing/choice/directory.ts'
import type { Elders, Ledger } from '../routing/choice/ledger.ts'
import type { OutOfReach } from '../routing/choice/out-of-reach.ts'
import { moderationDefault } from '../routing/request/moderation-default.ts'
import type { Replica } from '../sharing/replica.ts'
import { createTransports, type Transports } from '../transport/transports.ts'
import { createAnswers, createPreparation, type Answers } from './answers.ts'
import { healthSettings } from './health-settings.ts'
import type { Lasting } from './lasting.ts'
import { eldersOf, openAll, type Predecessor } from './predecessor.ts'
import { createRoads, createTraffic, type Traffic } from './traffic.ts'
import { createTwins } from './twins.ts'

/** What parts need besides the config. */
export interface PartsDeps {
  readonly log: Log
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Ours, shown as `pulsegate_version`. */
  readonly version: string
  /** Hides the config's secrets; given where the log has one already, for a large config's takes time to make. */
  readonly redact?: Redact
  /** Lines that the log has thrown away so far; absent: it never does. */
  readonly droppedLogLines?: () => number
  /** Where the history is kept when there is no database; absent: in memory. */
  readonly historyFile?: string
}

/** The parts that one config asks for, wired to each other; nothing runs yet. */
export interface Parts extends Answers {
  readonly board: Board
  readonly checks: HealthChecks
  /** This gateway among others that look at the same deployments; undefined: there are none. */
  readonly replica: Replica | undefined
  readonly transports: Transports
  /** Tokens that its deployments share. */
  readonly credentials: CredentialsByTransport
  readonly ledger: Ledger
  readonly outOfReach: OutOfReach
  readonly lines: (index: number) => LineOrProblem
  /** Ledgers of configs before; one whose last request is over is to be taken off. */
  readonly elders: Elders
  /** Who was there before and is called in the same way, its key and address from the environment included. */
  readonly was: Was
  /** What the HTTP face serves with. */
  readonly face: GatewayDeps
  /** Loads what the config asks for and most configs do not need. */
  readonly prepare: () => Promise<void>
}

/** The listener, for the first config; later ones are shown by its `renew`. */
export function openGateway({ face }: Parts): Gateway {
  return createGateway(face)
}

/** Everything that a gateway is made of, in one go; what its deployments are called with is loaded first. */
export async function createParts(config: Config, deps: PartsDeps, lasting: Lasting): Promise<Parts> {
  await loadAdaptersOf(config.deployments)
  const making = makeParts(config, deps, lasting)
  for (;;) {
    const step = making.next()
    if (step.done === true) return step.value
  }
}

/**
 * Everything that a config asks for, each part told of those it uses. In steps, so that requests can run in between;
 * `before`: what goes on, and is taken over when the parts are swapped.
 */
export function* makeParts(
  config: Config,
  deps: PartsDeps,
  lasting: Lasting,
  before?: Predecessor,
): Generator<undefined, Parts> {
  const { log, clock, random, redact = createRedact(config.secrets) } = deps
  const { deployments, router } = config
  const transports = before?.isSameNetwork === true ? before.parts.transports : openTransports(config, deps)
  const credentials =
    before?.isSameEnv === true ? before.parts.credentials : createCredentialsByTransport(clock)
  const openTo = createOpener(config, transports, { redact, clock, credentials })
  const openConfigured = (deployment: Deployment): LineOrProblem => openTo(deployment)
  const lines = createLines(deployments, openConfigured)
  const was = before === undefined ? () => undefined : yield* openAll(deployments, lines, before)
  const directory = createDirectory(deployments, resolveModel, router.aliases)
  yield
  const settings = healthSettings(config, directory)
  const shared = { deployments, lines, openLine: openConfigured, clock, log, random }
  const { lag, book } = lasting
  const prices = createProbePrices({ book, env: config.env, settings })
  const priceOf = (each: Deployment): number => prices.of(each)
  const members = yield* makeMembers({ ...shared, priceOf, settings })
  const engineRules = engineRulesOf(config.engine)
  const twins = createTwins({ ...shared, ...lasting, settings, engineRules, engine: () => checks.engine })
  const { replica } = twins
  yield
  const checks: HealthChecks = createHealthChecks({
    ...shared,
    ...(replica && { replica }),
    members,
    priceOf,
    lagMs: () => lag.p99Ms(),
    settings,
    engineRules,
    purseStart: lasting.startedAt,
    was,
  })
  yield
  const elders = before === undefined ? [] : eldersOf(before.parts, was)
  const traffic = createTraffic(config, { ...shared, ...lasting, directory, health: checks, elders })
  yield
  const connectionTest = {
    resolve: resolveModel,
    prepare: (deployment: Deployment) => loadAdaptersOf([deployment]),
    test: createConnectionTest(deps, settings),
    openLine: openTo,
  }
  const face = faceOf(config, { ...deps, redact }, { ...traffic, ...twins, checks, connectionTest }, lasting)
  const prepare = createPreparation(config, book, prices)
  const answers = createAnswers(config, { lines, prices, settings })
  const { ledger, outOfReach } = traffic
  const running = { board: checks.board, checks, replica, transports, credentials, ledger, outOfReach }
  return { ...running, ...answers, lines, elders, was, face, prepare }
}

/** What the HTTP face serves with. */
function faceOf(
  { deployments, general, litellm }: Config,
  { log, clock, random, version, redact }: PartsDeps & { readonly redact: Redact },
  traffic: Traffic & Pick<GatewayDeps, 'sharedStatus' | 'connectionTest'> & { readonly checks: HealthChecks },
  { metrics, config, history, sessionKeysFor }: Lasting,
): GatewayDeps {
  const { checks, directory, sharedStatus, connectionTest } = traffic
  return {
    deployments,
    log,
    clock,
    random,
    board: checks.board,
    directory,
    checks,
    connectionTest,
    history,
    sharedStatus,
    ...createRoads(traffic, sessionKeysFor(general.masterKey)),
    metrics,
    config,
    metricsNeedKey: litellm.metricsNeedKey,
    settings: { ...moderationDefault(deployments), ...general },
    redact,
    version,
    newCallId: randomUUID,
  }
}

function openTransports({ network, env }: Config, { clock, version }: PartsDeps): Transports {
  return createTransports({ ...network, clock, env, userAgent: `pulsegate/${version}` })
}

/** The environment of those who bring a connection along: this machine's own identity is not lent to them. */
const NOBODY = { AWS_EC2_METADATA_DISABLED: 'true', NO_GCE_CHECK: 'true' }

/** Opens lines; what they need of the config, and nothing else of it, is kept. */
function createOpener(
  { env, litellm: { dropParams } }: Config,
  transports: Transports,
  {
    redact,
    clock,
    credentials,
  }: { readonly redact: Redact; readonly clock: Clock; readonly credentials: CredentialsByTransport },
): (deployment: Deployment, isConfigured?: boolean) => LineOrProblem {
  const ofStrangers = createCredentialsByTransport(clock)
  return (deployment, isConfigured = true) => {
    const transport = transports.of(deployment.connection.sslVerify)
    const shared = { redact, dropParams, transport }
    return isConfigured
      ? openLine(deployment, { ...shared, env, credentials: credentials.of(transport) })
      : openLine(deployment, { ...shared, env: NOBODY, credentials: ofStrangers.of(transport) })
  }
}

/** Each deployment's line, opened when it is first asked for: a large config listens at once. */
function createLines(
  deployments: readonly Deployment[],
  openTo: (deployment: Deployment) => LineOrProblem,
): (index: number) => LineOrProblem {
  const opened = new Map<number, LineOrProblem>()
  return (index) => {
    const known = opened.get(index)
    if (known !== undefined) return known
    const deployment = deployments[index]
    if (deployment === undefined) return { misconfigured: { message: `there is no deployment ${index}` } }
    const line = openTo(deployment)
    opened.set(index, line)
    return line
  }
}
