import { GatewayError } from '../../core/failure.ts'
import type { Json } from '../../core/json.ts'

/**
 * Why a chat ended (https://ibm.github.io/watsonx-ai-node-sdk/enums/1_7_x.WatsonXAI.TextChatResultChoice.Constants.FinishReason.html,
 * read 2026-11-27) in OpenAI's words.
 * @throws GatewayError server_error where it broke off
 */
export function finishReason(reason: Json | undefined): string | null {
  whole('finish_reason', reason)
  return reason === 'time_limit' ? 'length' : typeof reason === 'string' ? reason : null
}

/** @throws GatewayError server_error for an answer that broke off, which `name` says */
export function whole(name: string, reason: Json | undefined): void {
  if (reason === 'error' || reason === 'cancelled')
    throw new GatewayError('server_error', `answered 200 with ${name} ${reason}`)
}
