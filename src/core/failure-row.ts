import type { Depth, FaultDomain } from './depth.ts'

/** What follows from one kind of failure. */
export interface FailureRow {
  /** The status a client gets: the upstream's own, or this one. */
  readonly client: 'upstream' | number
  /** `exception_status` in /health when no upstream status exists (LiteLLM's numbers). */
  readonly ownStatus: number
  /** May another deployment of the group succeed where this one failed? */
  readonly tryNext: boolean
  /** May the same deployment succeed where it is asked again a moment later? */
  readonly again?: true
  /** What it says of the health of whoever failed; absent: nothing. */
  readonly evidence?: EvidenceRow
  /** What the reader should do, at 3 a.m. */
  readonly fix: string
}

/** What one failure says of health. */
export interface EvidenceRow {
  /** How much it adds to the suspicion; a failed probe, whose input is ours, adds twice as much. */
  readonly score: 0 | 0.5 | 1
  /** A success less deep than this clears nobody of it. */
  readonly acquits: Depth
  /** Who is condemned by it. */
  readonly domain: FaultDomain
  /**
   * `suspects`: adds to the suspicion. `saturates`: it is alive and asks us to wait. `misconfigures`: waiting does not
   * help. `degrades`: it works, but not as it should. `none`: the request was at fault.
   */
  readonly effect: 'suspects' | 'saturates' | 'misconfigures' | 'degrades' | 'none'
  /** How many sightings without a success between them confirm it; absent: one. */
  readonly sightings?: number
  /**
   * Who is condemned besides, once two deployments that share it have failed so and none has answered between: one may
   * have used up what is its own, two say that it is everybody's.
   */
  readonly spreads?: 'credential'
  /** What such an answer proves all the same: a refused request has passed the door. */
  readonly proves?: Depth
}

/** The deployment fails at its work. */
export const SICK: EvidenceRow = { score: 1, acquits: 4, domain: 'deployment', effect: 'suspects' }
/** It failed in a way that happens to the healthy too. */
export const FAINT: EvidenceRow = { ...SICK, score: 0.5 }
/** Nobody can be reached there. */
export const GONE: EvidenceRow = { score: 1, acquits: 2, domain: 'host', effect: 'suspects' }
/** The request was at fault, and whoever says so is alive. */
export const ALIVE: EvidenceRow = { score: 0, acquits: 4, domain: 'deployment', effect: 'none', proves: 3 }
/** It is alive and has no room. */
export const FULL: EvidenceRow = { ...ALIVE, effect: 'saturates' }
/** It has no room, and it may be the beginning of something worse. */
export const CROWDED: EvidenceRow = { ...FAINT, effect: 'saturates' }
/** It answers, but not as it should. */
export const ODD: EvidenceRow = {
  score: 0,
  acquits: 4,
  domain: 'deployment',
  effect: 'degrades',
  proves: 4,
}
/** It answers, and what it says is wrong: a second wrong answer confirms it. */
export const WRONG: EvidenceRow = { ...ODD, acquits: 5, sightings: 2 }
/** The key is refused: a second sighting, best a free one, confirms it. */
export const REFUSED: EvidenceRow = {
  score: 1,
  acquits: 3,
  domain: 'credential',
  effect: 'misconfigures',
  sightings: 2,
}
/** No credit is left: the provider's own word is enough for the one; another one must say so of the key. */
export const BROKE: EvidenceRow = {
  score: 1,
  acquits: 4,
  domain: 'deployment',
  effect: 'misconfigures',
  spreads: 'credential',
}
/** There is no such model: a second sighting confirms it. */
export const MISSING: EvidenceRow = {
  score: 1,
  acquits: 3,
  domain: 'deployment',
  effect: 'misconfigures',
  sightings: 2,
}
/** The certificate is bad: it will be as bad a moment later. */
export const DISTRUSTED: EvidenceRow = { score: 1, acquits: 2, domain: 'host', effect: 'misconfigures' }
