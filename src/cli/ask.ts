import { request } from 'node:http'

/** Why there is no answer, as one sentence for the user. */
export class AskError extends Error {}

/** A whole answer. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** 10,000 deployments with all their fields are 20 MB; ten times that is no answer of ours. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

/**
 * GETs a URL with a Bearer key and reads the whole answer.
 * @throws AskError when nobody is there, the answer takes longer than `deadlineMs`, breaks off or is too large
 */
export function ask(url: string, key: string | undefined, deadlineMs: number): Promise<Answer> {
  const signal = AbortSignal.timeout(deadlineMs)
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return new Promise<Answer>((resolve, reject) => {
    const sent = request(url, { headers, signal, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      answer.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length
        if (sizeBytes > MAX_ANSWER_BYTES) sent.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  }).catch((error: unknown) => {
    throw new AskError(askSentence(url, error, deadlineMs), { cause: error })
  })
}

/** Why a request came to nothing, for the user. */
export function askSentence(url: string, error: unknown, deadlineMs: number): string {
  if (!(error instanceof Error)) return `cannot ask ${url}`
  const code = 'code' in error ? error.code : undefined
  if (error.name === 'AbortError' || error.name === 'TimeoutError')
    return `${url} gave no answer within ${deadlineMs / 1000} s`
  if (code === 'ECONNREFUSED')
    return `nothing listens at ${url}: start the gateway, or name its --host and --port`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host of ${url} cannot be found: check --host`
  return `cannot ask ${url}: ${error.message}`
}
