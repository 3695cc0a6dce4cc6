import { hash } from 'node:crypto'
import type { Deployment } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'

/** A deployment by what it can be told from others by. Equal prints are equal deployments. */
export interface Printed {
  readonly id: string
  readonly group: string
  /** Of all that decides where and how it is called and probed. */
  readonly call: string
  /** Of everything that the config says of it; its place in the list is not part of that. */
  readonly whole: string
}

/** Takes the prints of a deployment. They hold its secrets as a SHA-256 does, and stay in this process. */
export function printed(deployment: Deployment): Printed {
  const { index: _, id, connection, ...rest } = deployment
  // What is here says how much of the traffic it gets, what it costs and what is shown of it, not how it is called.
  const { traffic, facts, shown, shownParams, info, modeSource, model, ...called } = rest
  const call = `${exactTextOf(connection)}${textOf(called)}${exactTextOf(called.probe.expect)}`
  const others = textOf([id, facts, shown, shownParams, info, modeSource, model])
  const whole = `${call}\n${others}${exactTextOf(traffic)}`
  return { id, group: deployment.group, call: sumOf(call), whole: sumOf(whole) }
}

function sumOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** The exact text takes ten times as long. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value)
  return text.includes('[secret]') ? exactTextOf(value) : text
}

/** With secrets and patterns, which plain JSON leaves out. */
function exactTextOf(value: unknown): string {
  return JSON.stringify(value, revealed) ?? ''
}

/** As `JSON.stringify` asks: `this` is the object that the value stands in, before a secret has hidden itself. */
function revealed(this: unknown, key: string, value: unknown): unknown {
  if (value instanceof RegExp) return String(value)
  if (value !== '[secret]' || typeof this !== 'object' || this === null) return value
  const standing: unknown = Reflect.get(this, key)
  return standing instanceof Secret ? { secret: standing.reveal() } : value
}
