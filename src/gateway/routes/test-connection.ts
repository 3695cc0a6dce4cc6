import type { FastifyInstance, FastifyReply } from 'fastify'
import * as z from 'zod'
import { readTested } from '../../config/tested-deployment.ts'
import type { TestRequest } from '../../config/tested-deployment.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { createRedact } from '../../core/secret.ts'
import { createAdminCheck } from '../admin-only.ts'
import type { RouteContext } from '../gateway.ts'
import { sendError, sendJsonText } from '../json-reply.ts'
import { readObject } from '../read-object.ts'
import type { RunningRequests } from '../running-requests.ts'
import { waitingFor } from '../waiting.ts'

const object = z.custom<JsonObject>(isJsonObject, { error: 'must be an object' })
/** LiteLLM's; null: whatever the names say. */
const MODES = [
  'chat',
  'completion',
  'embedding',
  'audio_speech',
  'audio_transcription',
  'image_generation',
  'image_edit',
  'video_generation',
  'batch',
  'rerank',
  'realtime',
  'responses',
  'ocr',
] as const
const body = z.object({
  litellm_params: object,
  model_info: object.nullish(),
  mode: z.enum(MODES).nullish(),
})

/** `POST /health/test_connection`: would a deployment of this description answer? With the master key only. */
export function testConnectionRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
): void {
  const adminOf = createAdminCheck(context.settings)
  app.post('/health/test_connection', { config: { hasDetail: true } }, (request, reply) => {
    const admin = adminOf()
    if (admin instanceof GatewayError) return refuse(reply, context, admin)
    const waiting = waitingFor(reply, running)
    readObject(request.raw, context.settings.maxRequestBytes, (given) => {
      if (waiting.signal.aborted) return
      answer(given, context, waiting.signal).then(
        (text) => void sendJsonText(reply.header('cache-control', 'no-store'), 200, text),
        (thrown: unknown) => void refuse(reply, context, asGatewayError(waiting.reason(thrown))),
      )
    })
    return reply
  })
}

/** @throws GatewayError of the client's where nothing can be tested */
async function answer(
  given: JsonObject | GatewayError,
  { connectionTest, directory, redact }: RouteContext,
  signal: AbortSignal,
): Promise<string> {
  const tested = await readTested(requestIn(given), {
    resolve: connectionTest.resolve,
    baseOf: (id, model) =>
      (id === undefined ? undefined : directory.byId(id)[0]) ??
      (model === undefined ? undefined : (directory.byGroup(model)[0] ?? directory.byModel(model)[0])),
  })
  if (tested.kind === 'refused') throw invalid(400, tested.message)
  const { deployment, isConfigured, secrets } = tested
  await connectionTest.prepare(deployment)
  const result = await connectionTest.test(
    deployment,
    (each) => connectionTest.openLine(each, isConfigured),
    signal,
  )
  return redact(createRedact(secrets)(JSON.stringify(result)))
}

function requestIn(given: JsonObject | GatewayError): TestRequest {
  if (given instanceof GatewayError) throw given
  const parsed = body.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw invalid(422, `${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'cannot be read'}`)
  }
  const { litellm_params: params, model_info: info, mode } = parsed.data
  return { params, info: info ?? {}, ...(mode && { mode }) }
}

function refuse(reply: FastifyReply, { redact }: RouteContext, error: GatewayError): FastifyReply {
  return sendError(reply, error, redact, { error: redact(error.message) })
}

function invalid(status: 400 | 422, message: string): GatewayError {
  return new GatewayError('bad_request', message, { status, source: 'client' })
}
