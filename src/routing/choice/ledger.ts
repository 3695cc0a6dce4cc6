import type { AnswerFacts, Usage } from '../../core/answer-facts.ts'
import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { FailureKind } from '../../core/failure.ts'
import type { Was } from '../../core/was.ts'
import type { Need } from '../request/need.ts'
import { createRecentMean } from './recent-mean.ts'
import type { RecentMean } from './recent-mean.ts'
import { createSlidingCount } from './sliding-count.ts'
import type { SlidingCount } from './sliding-count.ts'
import { createUsualSizes } from './usual-sizes.ts'
import type { UsualSizes } from './usual-sizes.ts'

/** What each deployment is doing and has lately done; all of it in memory, asked without waiting. */
export interface Ledger {
  /** An attempt goes out now. Exactly one of `ended`, `failed` and `left` closes the booking; more change nothing. */
  begin(deployment: Deployment, need: Need): Booking
  ended(booking: Booking, facts: AnswerFacts): void
  /** It goes on, and has cost so much since the last time: what was guessed of it counts no more. */
  spent(booking: Booking, usage: Usage): void
  /** It failed, or was cancelled. */
  failed(booking: Booking, kind: FailureKind): void
  /** It went well, and says nothing of tokens or of how long answers take: a file, a key. */
  left(booking: Booking): void
  /** Attempts that have begun and not ended. */
  inFlight(index: number): number
  /** Tokens of the last minute's answers, and a guess for what is in flight. */
  tokens(index: number): number
  /** Mean time of recent answers, milliseconds for each token, or to a stream's first byte; undefined: none yet. */
  latencyMs(index: number, isStream: boolean): number | undefined
  /** How long until one more request is within so many a minute, milliseconds; 0: it is now. */
  requestWaitMs(index: number, rpm: number): number
  /** The same for tokens. An idle deployment takes one request, however large. */
  tokenWaitMs(index: number, tpm: number, need: Need): number
  /** What began here, and not under a config before: how many are in flight, and the guess of their tokens. */
  readonly own: { inFlight(index: number): number; pendingTokens(index: number): number }
  /** What is written down of one; made where something is to be and nothing is yet. */
  account(index: number): Account | undefined
}

/** The ledger of a config before, while requests that began under it still run. */
export interface Elder {
  readonly ledger: Ledger
  readonly was: Was
}

/** Ledgers of configs before, the latest first; taken off when their last request is over. */
export type Elders = Elder[]

/** An attempt that is in flight. */
export interface Booking {
  readonly index: number
  readonly isStream: boolean
  readonly startedMs: number
  /** The guess that counts until the answer says better. */
  tokens: number
  isOpen: boolean
}

/** What is kept account of besides what is in flight, for every deployment. */
export interface LedgerRules {
  /** A strategy looks at tokens. */
  readonly countsTokens: boolean
  /** A strategy looks at latencies of so many milliseconds' past; absent: none does. */
  readonly latencyWindowMs?: number
}

/** A minute and the slot that is just ending, so that no 60 seconds ever hold more than a limit. */
const WINDOW_MS = 62_000
const SLOTS = 31
/** When what is in flight will end nobody knows. */
const UNKNOWN_WAIT_MS = 1000
/** The provider was at work when these ended an attempt, and will count what it did. */
const PAID: ReadonlySet<FailureKind> = new Set(['cancelled', 'cut', 'timeout'])

/** What limits and strategies need of one deployment. */
export interface Account {
  readonly requests: SlidingCount | undefined
  readonly tokens: SlidingCount | undefined
  readonly whole: RecentMean | undefined
  readonly first: RecentMean | undefined
  /** How far back the means reach. */
  readonly windowMs: number | undefined
}

/** What is written down, by deployment index. */
interface Books {
  readonly flying: Int32Array
  readonly pending: Float64Array
  readonly usual: UsualSizes
  /** Undefined where nobody asks for one. */
  readonly account: (index: number) => Account | undefined
  readonly now: () => number
}

/**
 * Makes the ledger of one config. Accounts are opened only where a limit or the strategy asks for them. Those of a
 * config before are written on by both, and what its requests still hold counts here too.
 */
export function createLedger(
  deployments: readonly Deployment[],
  rules: LedgerRules,
  clock: Pick<Clock, 'elapsed'>,
  elders: Elders = [],
): Ledger {
  const accounts = new Map<number, Account>()
  const books: Books = {
    flying: new Int32Array(deployments.length),
    pending: new Float64Array(deployments.length),
    usual: createUsualSizes(deployments.length),
    account: (index) => {
      const known = accounts.get(index)
      if (known !== undefined) return known
      const own = openAccount(deployments[index], rules)
      const made = own && inherited(own, index, elders[0])
      if (made !== undefined) accounts.set(index, made)
      return made
    },
    now: () => clock.elapsed(),
  }
  const { account } = books
  // Now, for the ledger before is not kept for longer than its requests run.
  if (elders.length > 0) for (const { index } of deployments) account(index)
  return { ...writing(books), ...reading(books, elders), account }
}

/** What is counted in the same way goes on being counted. */
function inherited(own: Account, index: number, elder: Elder | undefined): Account {
  const earlier = elder?.was(index)
  const before = earlier === undefined ? undefined : elder?.ledger.account(earlier)
  if (before === undefined) return own
  const isSameWindow = own.windowMs === before.windowMs
  return {
    requests: own.requests && (before.requests ?? own.requests),
    tokens: own.tokens && (before.tokens ?? own.tokens),
    whole: isSameWindow ? before.whole : own.whole,
    first: isSameWindow ? before.first : own.first,
    windowMs: own.windowMs,
  }
}

function writing(books: Books): Pick<Ledger, 'begin' | 'ended' | 'spent' | 'failed' | 'left'> {
  const { flying, pending, usual } = books
  const close = (booking: Booking): boolean => {
    if (!booking.isOpen) return false
    booking.isOpen = false
    flying[booking.index] = (flying[booking.index] ?? 0) - 1
    pending[booking.index] = (pending[booking.index] ?? 0) - booking.tokens
    return true
  }
  return {
    begin: ({ index }, need) => {
      const account = books.account(index)
      const startedMs = books.now()
      const tokens = account?.tokens === undefined ? 0 : usual.guess(index, need.tokens())
      account?.requests?.add(startedMs)
      flying[index] = (flying[index] ?? 0) + 1
      pending[index] = (pending[index] ?? 0) + tokens
      return { index, isStream: need.isStream, startedMs, tokens, isOpen: true }
    },
    ended: (booking, { usage, firstByteMs }) => {
      const account = close(booking) ? books.account(booking.index) : undefined
      if (account === undefined) return
      const now = books.now()
      if (usage !== undefined) usual.saw(booking.index, credible(usage.totalTokens))
      account.tokens?.add(now, usage === undefined ? booking.tokens : credible(usage.totalTokens))
      const wholeMs = now - booking.startedMs
      if (booking.isStream) account.first?.add(now, firstByteMs ?? wholeMs)
      else account.whole?.add(now, wholeMs / Math.max(usage?.completionTokens ?? 1, 1))
    },
    spent: (booking, usage) => {
      if (!booking.isOpen) return
      pending[booking.index] = (pending[booking.index] ?? 0) - booking.tokens
      booking.tokens = 0
      books.account(booking.index)?.tokens?.add(books.now(), credible(usage.totalTokens))
    },
    failed: (booking, kind) => {
      // Latencies are of answers: a timeout may be a hasty client's, and is for cooldowns and health to judge.
      if (close(booking) && PAID.has(kind))
        books.account(booking.index)?.tokens?.add(books.now(), booking.tokens)
    },
    left: (booking) => void close(booking),
  }
}

function reading(
  { flying, pending, usual, account, now }: Books,
  elders: Elders,
): Omit<Ledger, 'begin' | 'ended' | 'spent' | 'failed' | 'left' | 'account'> {
  const own = {
    inFlight: (index: number) => flying[index] ?? 0,
    pendingTokens: (index: number) => pending[index] ?? 0,
  }
  const inAll = (index: number, of: keyof typeof own): number => {
    let sum = own[of](index)
    for (const { ledger, was } of elders) {
      const earlier = was(index)
      if (earlier !== undefined) sum += ledger.own[of](earlier)
    }
    return sum
  }
  const pendingTokens = (index: number): number => inAll(index, 'pendingTokens')
  return {
    own,
    inFlight: (index) => inAll(index, 'inFlight'),
    tokens: (index) => pendingTokens(index) + (account(index)?.tokens?.total(now()) ?? 0),
    latencyMs: (index, isStream) => {
      const known = account(index)
      return (isStream ? known?.first : known?.whole)?.mean(now())
    },
    requestWaitMs: (index, rpm) => account(index)?.requests?.waitMs(now(), Math.ceil(rpm) - 1) ?? 0,
    tokenWaitMs: (index, tpm, need) => {
      const booked = pendingTokens(index)
      const room = tpm - booked - usual.guess(index, need.tokens())
      if (booked > 0 && room < 0) return UNKNOWN_WAIT_MS
      return account(index)?.tokens?.waitMs(now(), Math.max(room, 0)) ?? 0
    },
  }
}

/** No answer is larger; a provider that miscounts must not keep everybody out. */
const MOST_TOKENS = 10_000_000

function credible(tokens: number): number {
  return tokens > 0 ? Math.min(tokens, MOST_TOKENS) : 0
}

function openAccount(
  deployment: Deployment | undefined,
  { countsTokens, latencyWindowMs }: LedgerRules,
): Account | undefined {
  const { rpm, tpm } = deployment?.traffic ?? {}
  const needsTokens = countsTokens || tpm !== undefined
  if (rpm === undefined && !needsTokens && latencyWindowMs === undefined) return undefined
  const recent = (): RecentMean | undefined =>
    latencyWindowMs === undefined ? undefined : createRecentMean(latencyWindowMs)
  return {
    requests: rpm === undefined ? undefined : createSlidingCount(WINDOW_MS, SLOTS),
    tokens: needsTokens ? createSlidingCount(WINDOW_MS, SLOTS) : undefined,
    whole: recent(),
    first: recent(),
    windowMs: latencyWindowMs,
  }
}
