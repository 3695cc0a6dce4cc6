/** A look that wants to begin. */
export interface Job {
  readonly index: number
  readonly host: number
  readonly credential: number
  /** Lower goes first: 0 suspects, 1 those that are down or come back, 2 the unknown, 3 the idle. */
  readonly priority: 0 | 1 | 2 | 3
}

/** How many looks may run. */
export interface AdmissionRules {
  readonly total: number
  /** By the number of the host: 4, or 1 where one at a time is all that it can do. */
  readonly perHost: (host: number) => number
  readonly perCredential: number
  /** New looks a second that one key may have after a burst of `burst`; by the number of the credential. */
  readonly perSecond: (credential: number) => number
  readonly burst: number
}

/** Lets looks begin: a busy host or key delays no other, and whoever has waited long goes before the important. */
export interface Admission {
  offer(job: Job, now: number): void
  /** The next one that may begin now, counted as running; undefined: nobody. */
  next(now: number): Job | undefined
  /** It has ended. */
  release(job: Job): void
  /** Where a key's allowance alone holds looks back: when the first of them may begin; infinite: none does. */
  wakeAt(): number
  waiting(): number
  running(): number
}

/** Each step of priority is worth so much waiting, milliseconds. */
const AGEING_MS = 10_000

interface Waiting {
  readonly job: Job
  /** The smaller the sooner; of equals, who came first. */
  readonly key: number
  readonly order: number
}

/** Who runs and who waits. */
interface Door {
  readonly rules: AdmissionRules
  /** Those that nothing but the total holds back, for all that is known. */
  readonly ready: Waiting[]
  readonly hosts: Map<number, Gate>
  readonly credentials: Map<number, KeyGate>
  /** Keys that somebody waits for. */
  readonly awaited: Set<KeyGate>
  running: number
  waiting: number
  offered: number
}

/** Makes the admission of one gateway. Its queues are bound by the deployments: each offers one job at a time. */
export function createAdmission(rules: AdmissionRules): Admission {
  const door: Door = {
    rules,
    ready: [],
    hosts: new Map(),
    credentials: new Map(),
    awaited: new Set(),
    running: 0,
    waiting: 0,
    offered: 0,
  }
  return {
    offer: (job, now) => {
      door.waiting += 1
      door.offered += 1
      push(door.ready, { job, key: now + job.priority * AGEING_MS, order: door.offered })
    },
    next: (now) => next(door, now),
    release: ({ host, credential }) => {
      door.running -= 1
      const atHost = hostOf(door, host)
      const withKey = credentialOf(door, credential)
      atHost.busy -= 1
      withKey.busy -= 1
      unpark(door, atHost)
      unpark(door, withKey)
      if (atHost.busy === 0 && atHost.parked.length === 0) door.hosts.delete(host)
    },
    wakeAt: () => {
      let earliest = Number.POSITIVE_INFINITY
      for (const { parked, busy, tokens, at, perSecond } of door.awaited)
        if (parked.length > 0 && busy < rules.perCredential && tokens < 1)
          earliest = Math.min(earliest, at + ((1 - tokens) * 1000) / perSecond)
      return earliest
    },
    waiting: () => door.waiting,
    running: () => door.running,
  }
}

function next(door: Door, now: number): Job | undefined {
  for (const credential of door.awaited) {
    refill(credential, now, door.rules.burst)
    if (hasRoom(door, credential)) unpark(door, credential)
    if (credential.parked.length === 0) door.awaited.delete(credential)
  }
  while (door.running < door.rules.total) {
    const entry = popFirst(door.ready)
    if (entry === undefined) return undefined
    if (isParked(door, entry, now)) continue
    const { job } = entry
    const credential = credentialOf(door, job.credential)
    hostOf(door, job.host).busy += 1
    credential.busy += 1
    credential.tokens -= 1
    door.running += 1
    door.waiting -= 1
    return job
  }
  return undefined
}

/** Sets it aside where its host or its key has no room; another one of the other gate then gets its turn. */
function isParked(door: Door, entry: Waiting, now: number): boolean {
  const { rules } = door
  const host = hostOf(door, entry.job.host)
  const credential = credentialOf(door, entry.job.credential)
  refill(credential, now, rules.burst)
  if (host.busy >= rules.perHost(entry.job.host)) {
    push(host.parked, entry)
    if (hasRoom(door, credential)) unpark(door, credential)
    return true
  }
  if (hasRoom(door, credential)) return false
  push(credential.parked, entry)
  door.awaited.add(credential)
  unpark(door, host)
  return true
}

function hasRoom({ rules }: Door, { busy, tokens }: KeyGate): boolean {
  return busy < rules.perCredential && tokens >= 1
}

function unpark({ ready }: Door, { parked }: Gate): void {
  const first = popFirst(parked)
  if (first !== undefined) push(ready, first)
}

function hostOf({ hosts }: Door, host: number): Gate {
  return known(hosts, host, () => ({ busy: 0, parked: [] }))
}

function credentialOf({ credentials, rules }: Door, credential: number): KeyGate {
  return known(credentials, credential, () => ({
    busy: 0,
    parked: [],
    tokens: rules.burst,
    at: Number.NEGATIVE_INFINITY,
    perSecond: rules.perSecond(credential),
  }))
}

/** A host or a key: what runs there, and what waits for it alone. */
interface Gate {
  busy: number
  readonly parked: Waiting[]
}

/** A key's gate has an allowance of new looks besides. */
interface KeyGate extends Gate {
  tokens: number
  at: number
  readonly perSecond: number
}

function refill(allowance: KeyGate, now: number, burst: number): void {
  const { at, tokens, perSecond } = allowance
  if (now <= at) return
  const more = at === Number.NEGATIVE_INFINITY ? burst : ((now - at) * perSecond) / 1000
  allowance.tokens = Math.min(tokens + more, burst)
  allowance.at = now
}

function known<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

function isSooner(a: Waiting, b: Waiting): boolean {
  return a.key < b.key || (a.key === b.key && a.order < b.order)
}

/** A binary heap, soonest first. */
function push(heap: Waiting[], entry: Waiting): void {
  let here = heap.length
  heap.push(entry)
  while (here > 0) {
    const parent = (here - 1) >> 1
    const above = heap[parent]
    if (above === undefined || isSooner(above, entry)) break
    heap[here] = above
    here = parent
  }
  heap[here] = entry
}

function popFirst(heap: Waiting[]): Waiting | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let here = 0
  for (;;) {
    const left = heap[2 * here + 1]
    const right = heap[2 * here + 2]
    const isRight = left !== undefined && right !== undefined && isSooner(right, left)
    const child = isRight ? right : left
    if (child === undefined || isSooner(last, child)) break
    heap[here] = child
    here = 2 * here + (isRight ? 2 : 1)
  }
  heap[here] = last
  return first
}
