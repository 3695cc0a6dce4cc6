import { Agent, request } from 'node:http'
import { KEY } from './messages.ts'

/** One answer, as far as it matters here. */
export interface Answer {
  /** 0 where the connection broke. */
  readonly status: number
  readonly retryAfter: string | undefined
  /** `x-litellm-attempted-retries`; 0 where it is not said. */
  readonly retries: number
  readonly text: string
  /** From the planned moment to the last byte, milliseconds. */
  readonly tookMs: number
}

/** What to ask for. */
export interface Question {
  readonly url: string
  /** Sent as JSON; absent: a GET. */
  readonly body?: object
}

const DEADLINE_MS = 60_000

/** Keeps connections open, as a client does. */
export const createAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: 512 })

/** Asks once; never rejects. */
export function ask(agent: Agent, { url, body }: Question, plannedAt = performance.now()): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (answer: Omit<Answer, 'tookMs'>): void =>
      resolve({ ...answer, tookMs: performance.now() - plannedAt })
    const broken = (error: Error): void =>
      settle({ status: 0, retryAfter: undefined, retries: 0, text: error.message })
    const asked = request(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent,
      timeout: DEADLINE_MS,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    })
    asked.on('error', broken)
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (more: string) => (text += more))
      response.on('error', broken)
      response.on('end', () => {
        const { 'retry-after': retryAfter, 'x-litellm-attempted-retries': retries } = response.headers
        settle({ status: response.statusCode ?? 0, retryAfter, retries: Number(retries ?? 0), text })
      })
    })
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Asks `perSecond` times a second for so long, whether or not answers come, and waits for the last answer. */
export async function askOpenly(
  agent: Agent,
  question: Question,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<readonly Answer[]> {
  const total = perSecond * seconds
  const answers: Promise<Answer>[] = []
  const begun = performance.now()
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const due = Math.min(total, Math.floor(((performance.now() - begun) * perSecond) / 1000) + 1)
      while (answers.length < due)
        answers.push(ask(agent, question, begun + (answers.length * 1000) / perSecond))
      if (answers.length >= total) resolve()
      else setTimeout(tick, 2)
    }
    tick()
  })
  return Promise.all(answers)
}
