import type { LineOrProblem } from '../../health/subject.ts'
import { surfaceFace } from '../../providers/surfaces.ts'
import type { Line } from '../../providers/call.ts'
import { candidateLine } from './candidate-line.ts'
import type { LineDeps } from './candidate-line.ts'
import { clientConnection } from './client-connection.ts'
import type { Candidate } from './directory.ts'
import type { Operation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'
import type { RequestRead } from '../request/request.ts'

/**
 * The candidates whose provider can do this at all: nearly always each of them.
 * @throws GatewayError bad_request where none can
 */
export function capable(
  deps: Pick<LineDeps, 'lines'>,
  operation: Operation,
  model: string,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const can = ({ deployment }: Candidate): boolean => !lacks(deps.lines(deployment.index), operation)
  if (candidates.every(can)) return candidates
  const left = candidates.filter(can)
  if (left.length > 0) return left
  throw incapable(
    operation,
    model,
    candidates.map(({ deployment }) => deployment.provider),
  )
}

/** Of a group those whose provider speaks the surface itself, where there are any. */
export function preferNative(
  deps: Pick<LineDeps, 'lines'>,
  { surface }: Operation,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const native = candidates.filter(({ deployment }) => {
    const opened = deps.lines(deployment.index)
    return 'line' in opened && surface !== undefined && surfaceFace(opened.line, surface.face) !== undefined
  })
  return native.length > 0 ? native : candidates
}

/** A deployment that cannot be called lacks nothing: why it cannot is for `pick` to say. */
function lacks(opened: LineOrProblem, { mode, side, surface }: Operation): boolean {
  if (!('line' in opened)) return false
  const { adapter, target } = opened.line
  const codec = adapter.codecs[mode]
  const lacksMode =
    codec === 'unsupported' ||
    codec.serves?.(target) === false ||
    (side !== undefined && codec.sides?.[side] === undefined)
  if (surface === undefined) return lacksMode
  if (surfaceFace(opened.line, surface.face) !== undefined) return false
  return lacksMode || (surface.words ?? surface.make) === undefined
}

function incapable(
  { route, mode, side, surface }: Operation,
  model: string,
  providers: readonly string[],
): ReturnType<typeof refuse> {
  const names = [...new Set(providers)].slice(0, 8).join(', ')
  return refuse(
    `${route}: model=${model.slice(0, 256)} cannot do this: its provider (${names}) has no ${surface?.what ?? side ?? mode}.`,
    'model',
  )
}

/**
 * The line of the chosen deployment, with a wildcard's model and a client's connection filled in.
 * @throws GatewayError bad_request (the client's doing), none_available
 */
export function lineFor(
  deps: LineDeps,
  operation: Operation,
  candidate: Candidate,
  body: Buffer,
  read: RequestRead,
  asked: string,
): Line {
  const client = clientConnection(body, read.spans, read.connectionFields)
  const own = Object.keys(client).length > 0 ? client : undefined
  const line = candidateLine(deps, operation.route, asked, candidate, own)
  if (lacks({ line }, operation)) throw incapable(operation, asked, [candidate.deployment.provider])
  return line
}
