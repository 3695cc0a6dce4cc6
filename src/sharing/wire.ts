import { FAILURE_KINDS } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import { isJsonObject } from '../core/json.ts'
import type { JsonObject } from '../core/json.ts'
import type { Conclusion, Finding, KeptFinding, Note, Outcome, SharedRow } from './sharing.ts'

/** How times get into a store's own time, or out of it. */
export type Shift = (time: number) => number

type Verdict = Extract<Conclusion, { kind: 'down' }>

const NEVER = Number.NEGATIVE_INFINITY
const DEPTHS = [0, 1, 2, 3, 4, 5] as const
const STATES = ['DOWN', 'MISCONFIGURED'] as const
const DOMAINS = ['host', 'credential', 'deployment'] as const
const KINDS = ['ok', ...FAILURE_KINDS] as const

/** A finding as text, its times the store's. */
export function findingText(finding: Finding, by: string, shift: Shift): string {
  return JSON.stringify(plainFinding({ ...finding, by, stamp: shift(finding.at) }, shift))
}

/** A verdict as text. */
export function verdictText({ state, reason, domain }: Verdict): string {
  return JSON.stringify({ state, reason, domain })
}

/** What a look came to, its times the store's. */
export function shiftedOutcome(outcome: Outcome | undefined, shift: Shift): Outcome | undefined {
  if (outcome === undefined) return undefined
  const { finding } = outcome
  return {
    ...outcome,
    finding: { ...finding, startedAt: shift(finding.startedAt), at: shift(finding.at) },
  }
}

/** A note, its times the store's. */
export function shiftedNote({ ok, doubt, ...rest }: Note, shift: Shift): Note {
  const doubted = shiftedOutcome(doubt, shift)
  return {
    ...rest,
    ...(ok !== undefined && {
      ok: { at: shift(ok.at), startedAt: shift(ok.startedAt), nextDueAt: shift(ok.nextDueAt) },
    }),
    ...(doubted !== undefined && { doubt: doubted }),
  }
}

/** A row as plain JSON, its times the store's. */
export function plainRow(row: SharedRow, shift: Shift): JsonObject {
  const { id, epoch, version, claim, by, verdict, verdictStamp, look, doubt, reporters } = row
  const time = (at: number): number => (at === NEVER ? 0 : shift(at))
  return {
    id,
    epoch,
    version,
    due: time(row.due),
    claim,
    until: time(row.until),
    by,
    okAt: time(row.okAt),
    okStartedAt: time(row.okStartedAt),
    ...(verdict !== undefined && {
      verdict: { state: verdict.state, reason: verdict.reason, domain: verdict.domain },
    }),
    verdictAt: time(row.verdictAt),
    verdictStamp,
    ...(look !== undefined && { look: plainFinding(look, shift) }),
    ...(doubt !== undefined && { doubt: plainFinding(doubt, shift) }),
    reporters: Object.fromEntries(Object.entries(reporters).map(([name, at]) => [name, time(at)])),
  }
}

/** Reads what `plainRow` wrote; what is not of its form is left out, as if nobody had said it. */
export function readRow(plain: unknown, id: string, shift: Shift): SharedRow {
  const row = isJsonObject(plain) ? plain : {}
  const reporters = isJsonObject(row['reporters']) ? row['reporters'] : {}
  const verdict = readVerdict(row['verdict'])
  const look = readFinding(row['look'], shift)
  const doubt = readFinding(row['doubt'], shift)
  return {
    id,
    epoch: numberOf(row['epoch']),
    version: numberOf(row['version']),
    due: timeOf(row['due'], shift),
    claim: textOf(row['claim']),
    until: timeOf(row['until'], shift),
    by: textOf(row['by']),
    okAt: timeOf(row['okAt'], shift),
    okStartedAt: timeOf(row['okStartedAt'], shift),
    ...(verdict !== undefined && { verdict }),
    verdictAt: timeOf(row['verdictAt'], shift),
    verdictStamp: verdict === undefined ? 0 : numberOf(row['verdictStamp']),
    ...(look !== undefined && { look }),
    ...(doubt !== undefined && { doubt }),
    reporters: Object.fromEntries(Object.entries(reporters).map(([name, at]) => [name, timeOf(at, shift)])),
  }
}

/** Reads a Redis hash: field, value, field, value. */
export function readHash(flat: unknown, id: string, shift: Shift): SharedRow {
  const fields = new Map<string, string>()
  if (Array.isArray(flat))
    for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), String(flat[at + 1]))
  const number = (name: string): number => numberOf(Number(fields.get(name) ?? 0))
  const reporters: Record<string, number> = {}
  for (const [name, value] of fields) if (name.startsWith('r:')) reporters[name.slice(2)] = Number(value)
  return readRow(
    {
      epoch: number('e'),
      version: number('v'),
      due: number('d'),
      claim: fields.get('c') ?? '',
      until: number('u'),
      by: fields.get('b') ?? '',
      okAt: number('o'),
      okStartedAt: number('s'),
      verdict: parsed(fields.get('x')),
      verdictAt: number('xt'),
      verdictStamp: number('xt'),
      look: parsed(fields.get('l')),
      doubt: parsed(fields.get('q')),
      reporters,
    },
    id,
    shift,
  )
}

/** JSON that a stranger may have written. */
export function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // Not of our form: as if it were not there.
    return undefined
  }
}

function plainFinding({ startedAt, at, ...rest }: KeptFinding, shift: Shift): JsonObject {
  return { ...rest, startedAt: shift(startedAt), at: shift(at) }
}

function readFinding(plain: unknown, shift: Shift): KeptFinding | undefined {
  if (!isJsonObject(plain)) return undefined
  const kind = KINDS.find((word) => word === plain['kind'])
  const depth = DEPTHS.find((word) => word === plain['depth'])
  if (kind === undefined || depth === undefined) return undefined
  const retryAfterMs = plain['retryAfterMs']
  return {
    kind,
    depth,
    startedAt: timeOf(plain['startedAt'], shift),
    at: timeOf(plain['at'], shift),
    by: textOf(plain['by']),
    stamp: numberOf(plain['stamp']),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  }
}

function readVerdict(plain: unknown): Verdict | undefined {
  if (!isJsonObject(plain)) return undefined
  const state = STATES.find((word) => word === plain['state'])
  const domain = DOMAINS.find((word) => word === plain['domain'])
  const reason = FAILURE_KINDS.find((word): word is FailureKind => word === plain['reason'])
  if (state === undefined || domain === undefined || reason === undefined) return undefined
  return { kind: 'down', state, reason, domain, needsSecond: false }
}

function timeOf(value: unknown, shift: Shift): number {
  return typeof value === 'number' && value > 0 ? shift(value) : NEVER
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
