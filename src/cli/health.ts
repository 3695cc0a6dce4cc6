import { AskError } from './ask.ts'
import type { JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import type { Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import { askGateway, configFor, gatewayThere, type GatewayThere } from './gateway-there.ts'
import type { Shell } from './shell.ts'

/**
 * `pulsegate --health`: asks the gateway that is running and prints its JSON. The answer's own text goes to
 * stdout and nothing else does, so that it can be piped into a JSON tool.
 */
export async function health(
  command: Extract<Command, { kind: 'health' }>,
  shell: Pick<Shell, 'terminal' | 'env'>,
): Promise<number> {
  const config = await configFor(command.configPath, shell)
  if (config === 'refused') return EXIT.refused
  const { terminal, env } = shell
  try {
    const report = await askReport(gatewayThere(command.address, config, env))
    terminal.out(JSON.stringify(report, undefined, 4))
    return isAllHealthy(report) ? EXIT.ok : EXIT.unhealthy
  } catch (error) {
    if (!(error instanceof AskError)) throw error
    terminal.err(`pulsegate: ${error.message}`)
    return EXIT.refused
  }
}

/**
 * The body of GET /health.
 * @throws AskError where there is none
 */
export async function askReport(gateway: GatewayThere): Promise<JsonObject> {
  const { body } = await askGateway(gateway, '/health')
  if (typeof body['healthy_count'] === 'number') return body
  throw new AskError(
    `what answers at ${gateway.url}/health is no gateway: its answer is not the JSON of /health`,
  )
}

/** Healthy is what has proven it: an empty list or a model not checked yet is not. */
export function isAllHealthy(report: JsonObject): boolean {
  const unknown = report['unknown_endpoints']
  const waiting = Array.isArray(unknown) ? unknown.filter(isNotCheckedYet) : []
  return report['unhealthy_count'] === 0 && report['healthy_count'] !== 0 && waiting.length === 0
}

function isNotCheckedYet(entry: unknown): boolean {
  return isJsonObject(entry) && entry['reason'] === 'not_checked_yet'
}
