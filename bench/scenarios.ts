import type { RequestKind } from './messages.ts'

/** What is measured in one go. */
export interface Scenario {
  readonly title: string
  readonly kind: RequestKind
  readonly connections: number
  /** Of one window: one contestant in one round. */
  readonly durationMs: number
  readonly rounds: number
  /** What is counted. */
  readonly unit: 'request' | 'event'
  /** Measured for the time that an answer takes, not for its CPU. */
  readonly isLatency: boolean
  /** Requests begin at this pace, whatever the answers do. */
  readonly perSecond?: number
}

/** Everything, in under two minutes. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: '600 B request, 800 B answer, 32 connections',
    kind: 'small',
    connections: 32,
    durationMs: 1200,
    rounds: 5,
    unit: 'request',
    isLatency: false,
  },
  {
    title: '100 KB request, model first, 32 connections',
    kind: 'large',
    connections: 32,
    durationMs: 700,
    rounds: 5,
    unit: 'request',
    isLatency: false,
  },
  {
    title: '100 KB request, model last, 32 connections',
    kind: 'large, model last',
    connections: 32,
    durationMs: 700,
    rounds: 5,
    unit: 'request',
    isLatency: false,
  },
  {
    title: '1 MB request, 8 connections',
    kind: 'huge',
    connections: 8,
    durationMs: 700,
    rounds: 3,
    unit: 'request',
    isLatency: false,
  },
  {
    title: '50 streams of 100 events, one each 20 ms',
    kind: 'stream',
    connections: 50,
    durationMs: 3000,
    rounds: 3,
    unit: 'event',
    isLatency: false,
  },
  {
    title: '600 B request, one connection, added time',
    kind: 'small',
    connections: 1,
    durationMs: 400,
    rounds: 5,
    unit: 'request',
    isLatency: true,
  },
  {
    title: '600 B request, 500 begun a second, time from the planned moment',
    kind: 'small',
    connections: 64,
    durationMs: 1500,
    rounds: 3,
    unit: 'request',
    isLatency: true,
    perSecond: 500,
  },
]
