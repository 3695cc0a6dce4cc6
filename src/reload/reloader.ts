import type { Config } from '../config/config.ts'
import { formatProblem, type Problem } from '../config/problem.ts'
import type { Clock } from '../core/clock.ts'
import type { ConfigBook } from '../core/config-status.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Log, LogFields } from '../core/log.ts'
import type { Secret } from '../core/secret.ts'
import { messageOf } from '../core/message-of.ts'
import { versionOf, type FileSums } from '../read-config.ts'
import { diffOf, type ConfigDiff } from './diff.ts'
import { printed, type Printed } from './prints.ts'
import type { KnownConfig, ReadAside } from './read-aside.ts'
import { needsRestart } from './restart.ts'

/** Why the config is read again. */
export type ReloadReason = 'SIGHUP' | 'files'

/** What a reloader runs on. */
export interface ReloaderDeps {
  /** What is served with at the start, and the files that it was read from. */
  readonly files: FileSums
  readonly app: {
    readonly configBook: ConfigBook
    config(): Config
    swap(config: Config, was: Int32Array): Promise<{ readonly lost: number } | undefined>
  }
  /** Reads the config beside what runs. */
  readonly read: (known: Promise<KnownConfig>) => Promise<ReadAside>
  /** The log must hide these before anything is done with them. */
  readonly hide: (secrets: readonly Secret[]) => void
  readonly log: Log
  readonly clock: Pick<Clock, 'elapsed'>
  /** Lets others run. */
  readonly pause: () => Promise<void>
}

/** Reads the config again, and serves with it where it is good. */
export interface Reloader {
  /** Resolves when it is over. One reading at a time: whoever asks meanwhile has it read once more after that. */
  reload(reason: ReloadReason): Promise<void>
  /** The files that the newest reading looked at. */
  files(): Iterable<string>
}

/** A config's prints are taken so many at a time. */
const PRINTS_A_TURN = 200

/** Makes it; nothing is read yet. */
export function createReloader(deps: ReloaderDeps): Reloader {
  const { app, log, clock } = deps
  let { files } = deps
  let prints: readonly Printed[] | undefined
  let running: Promise<void> | undefined
  let again: ReloadReason | undefined

  async function known(): Promise<KnownConfig> {
    const { deployments } = app.config()
    prints ??= await printsOf(deployments, deps.pause)
    return { deployments, prints }
  }

  async function once(reason: ReloadReason): Promise<void> {
    const from = clock.elapsed()
    const read = await deps.read(known())
    const { config, problems } = read
    // A file that one more include would have named is watched too, or its return would go unnoticed.
    files = config === undefined ? new Map([...files, ...read.files]) : read.files
    const version = versionOf(read.files)
    const told = { reason, version, running: app.configBook.version() }
    if (config === undefined) return refuse(deps, problems, { ...told, ms: clock.elapsed() - from })
    // Where the files were touched and say the same, there is nothing to tell.
    if (reason === 'files' && version === told.running && app.configBook.isCurrent()) return
    const before = app.config()
    const diff = diffOf((await known()).prints, read.prints)
    await deps.pause()
    deps.hide(config.secrets)
    await deps.pause()
    const swapped = await app.swap(config, diff.was)
    if (swapped === undefined) return
    prints = read.prints
    app.configBook.taken(version)
    app.configBook.read(version === told.running ? 'unchanged' : 'taken')
    const took = { reason, version, ms: clock.elapsed() - from }
    log.info('config_reloaded', {
      ...took,
      ...countsOf(diff, swapped.lost),
      ...oddities(problems),
      ...restart(before, config),
    })
  }

  async function run(reason: ReloadReason): Promise<void> {
    let next: ReloadReason | undefined = reason
    while (next !== undefined) {
      again = undefined
      await once(next).catch((error: unknown) => giveUp(deps, next, error))
      next = again
    }
  }

  return {
    files: () => files.keys(),
    reload: (reason) => {
      if (running !== undefined) again = reason
      else
        running = run(reason).finally(() => {
          running = undefined
        })
      return running
    },
  }
}

/** Those that turned out to be called otherwise have changed, whatever the files say of them. */
function countsOf({ added, removed, changed, unchanged }: ConfigDiff, lost: number): LogFields {
  const turned = Math.min(lost, unchanged)
  return { added, removed, changed: changed + turned, unchanged: unchanged - turned }
}

/** One line that says where and what to do; the config before is served with as if nothing had been. */
function refuse(
  { app, log }: Pick<ReloaderDeps, 'app' | 'log'>,
  problems: readonly Problem[],
  told: LogFields,
): void {
  const fatal = problems.filter(({ severity }) => severity === 'fatal')
  const [first] = fatal
  const problem = first === undefined ? 'it cannot be read' : formatProblem(first)
  app.configBook.read('refused', problem)
  log.error('config_refused', {
    ...told,
    problem,
    ...(fatal.length > 1 && { more_problems: fatal.length - 1 }),
    message: 'the config before stays in service; mend the file, and it is read again',
  })
}

function giveUp(
  { app, log }: Pick<ReloaderDeps, 'app' | 'log'>,
  reason: ReloadReason | undefined,
  error: unknown,
): void {
  const problem = messageOf(error)
  app.configBook.read('refused', problem)
  log.error('config_refused', {
    reason,
    problem,
    message: 'the config before stays in service; send SIGHUP to have it read again',
  })
}

async function printsOf(
  deployments: readonly Deployment[],
  pause: () => Promise<void>,
): Promise<readonly Printed[]> {
  const prints: Printed[] = []
  for (const deployment of deployments) {
    prints.push(printed(deployment))
    if (prints.length % PRINTS_A_TURN === 0) await pause()
  }
  return prints
}

/** What is probably a mistake: how many, and the first of them. */
function oddities(problems: readonly Problem[]): LogFields {
  const odd = problems.filter(({ severity }) => severity === 'warning' || severity === 'error')
  const [first] = odd
  return first === undefined ? {} : { warnings: odd.length, first_warning: formatProblem(first) }
}

function restart(before: Config, after: Config): LogFields {
  const names = needsRestart(before, after)
  return names.length === 0 ? {} : { needs_restart: names.join(', ') }
}
