import { spawnSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { measureStarts, reportStarts, settled } from './cold-start.ts'
import type { Facts, Findings, Memory } from './findings.ts'
import { ask, openGround, orderTo, type Ground } from './ground.ts'
import { HELP, readOptions, type Options } from './options.ts'
import { runScenarios } from './overhead.ts'
import { overload, reportOverload } from './overload.ts'
import { withResults } from './page.ts'
import { canPin, rssMb } from './pinned.ts'
import { recordLine } from './record.ts'
import { reportMemory } from './report.ts'
import { reportSoak, soak } from './soak.ts'
import { reportDuties, switchedOn } from './switched-on.ts'
import { reportVerdicts, verdicts } from './targets.ts'

const ROOT = resolve(import.meta.dirname, '..')
const RESULTS = join(import.meta.dirname, 'results.jsonl')
const PAGE = join(ROOT, 'docs/performance.md')

/** One part of a run after the other; each prints what it found. */
async function run(ground: Ground, options: Options): Promise<Findings> {
  // Before anything else has been asked of it.
  const memory = await memoryOf(ground)
  const duties = await switchedOn(ground.own)
  say(reportDuties(duties), reportMemory(memory))
  const results = await runScenarios(ground, options)
  const part = async <Found>(
    title: string,
    find: () => Promise<Found>,
    report: (found: Found) => string,
  ): Promise<Found | undefined> => {
    if (!title.includes(options.only)) return undefined
    const found = await find()
    say('', report(found))
    return found
  }
  const pressed = await part('overload', () => overload(ground, options.rounds), reportOverload)
  const starts = await part('start', () => measureStarts(ground, options.rounds), reportStarts)
  const { soak: length } = options
  const soaked = length === undefined ? undefined : await part('soak', () => soak(ground, length), reportSoak)
  return { duties, memory, results, overload: pressed, starts, soak: soaked }
}

/** What pulsegate holds a second after its first requests, and after two seconds of short ones on 64 connections. */
async function memoryOf({ load, own }: Ground): Promise<Memory> {
  const { pid } = own.process
  await settled()
  const idleMb = rssMb(pid)
  await ask(load, orderTo(own, { how: 'closed', kind: 'small', connections: 64, durationMs: 2000 }))
  return { idleMb, loadedMb: rssMb(pid) }
}

function factsOf({ contestants }: Ground): Facts {
  const git = (...args: readonly string[]): string =>
    spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout.trim()
  const isChanged = git('status', '--porcelain', 'src', 'package-lock.json') !== ''
  return {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
    node: process.version,
    versions: Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
    commit: `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${isChanged ? '+' : ''}`,
    options: process.argv.slice(2),
  }
}

function sayHead({ contestants, missing }: Ground, { machine, node, commit }: Facts): void {
  say(`${machine}, node ${node}, commit ${commit}`)
  say(...contestants.map(({ name, version }) => `${name}: ${version}`), ...missing)
  if (!canPin()) say('Processes cannot be held on cores here: expect wide spreads.')
}

function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}

function build(): void {
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { cwd: ROOT, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`the build failed:\n${built.stderr}`)
}

async function main(options: Options): Promise<void> {
  const begun = Date.now()
  if (options.build) build()
  const ground = await openGround(options)
  try {
    const facts = factsOf(ground)
    sayHead(ground, facts)
    const findings = await run(ground, options)
    say('', reportVerdicts(verdicts(findings)))
    if (options.writeDocs) writeFileSync(PAGE, withResults(readFileSync(PAGE, 'utf8'), facts, findings))
    if (options.record) appendFileSync(RESULTS, `${recordLine(facts, findings)}\n`)
  } finally {
    await ground.stop()
  }
  say('', `${((Date.now() - begun) / 1000).toFixed(0)} s in all`)
}

const options = readOptions(process.argv.slice(2))
if (options.help) say(HELP)
else await main(options)
