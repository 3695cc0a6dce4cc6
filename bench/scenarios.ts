import type { Task } from './order.ts'

/** What is measured in one go. */
export interface Scenario {
  readonly title: string
  readonly task: Task
  readonly rounds: number
  /** What is counted. */
  readonly unit: 'request' | 'event' | 'message'
  /** Measured for the time that an answer takes, not for its CPU. */
  readonly isLatency: boolean
  /** Other gateways take part where they are asked for. */
  readonly withPeers: boolean
}

/** The titles of the scenarios that have a target. */
export const TITLES = {
  small: '600 B request, 800 B answer, 32 connections',
  large: '100 KB request, model first, 32 connections',
  largeModelLast: '100 KB request, model last, 32 connections',
  streams: '100 streams of 200 events, one each 20 ms',
  translatedStreams: 'the same, translated from Anthropic’s words',
  alone: '600 B request, one connection, added time',
} as const

/** Everything that compares contestants, in under three minutes. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: TITLES.small,
    task: { how: 'closed', kind: 'small', connections: 32, durationMs: 1200 },
    rounds: 5,
    unit: 'request',
    isLatency: false,
    withPeers: true,
  },
  {
    title: TITLES.large,
    task: { how: 'closed', kind: 'large', connections: 32, durationMs: 700 },
    rounds: 5,
    unit: 'request',
    isLatency: false,
    withPeers: true,
  },
  {
    title: TITLES.largeModelLast,
    task: { how: 'closed', kind: 'large, model last', connections: 32, durationMs: 700 },
    rounds: 5,
    unit: 'request',
    isLatency: false,
    withPeers: false,
  },
  {
    title: '1 MB request, 8 connections',
    task: { how: 'closed', kind: 'huge', connections: 8, durationMs: 700 },
    rounds: 3,
    unit: 'request',
    isLatency: false,
    withPeers: false,
  },
  {
    title: TITLES.streams,
    task: { how: 'streams', connections: 100 },
    rounds: 3,
    unit: 'event',
    isLatency: false,
    withPeers: false,
  },
  {
    title: TITLES.translatedStreams,
    task: { how: 'streams', kind: 'translated stream', connections: 100 },
    rounds: 3,
    unit: 'event',
    isLatency: false,
    withPeers: false,
  },
  {
    title: 'realtime: 50 sessions, messages of 1,000 B said back',
    task: { how: 'sessions', connections: 50, durationMs: 1200 },
    rounds: 3,
    unit: 'message',
    isLatency: false,
    withPeers: false,
  },
  {
    title: TITLES.alone,
    task: { how: 'closed', kind: 'small', connections: 1, durationMs: 500 },
    rounds: 5,
    unit: 'request',
    isLatency: true,
    withPeers: true,
  },
  {
    title: '600 B request, 500 begun a second, time from the planned moment',
    task: { how: 'open', kind: 'small', connections: 64, durationMs: 1500, perSecond: 500 },
    rounds: 3,
    unit: 'request',
    isLatency: true,
    withPeers: false,
  },
]
