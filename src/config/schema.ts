import * as z from 'zod'
import { deploymentSchema } from './schema-deployment.ts'
import { generalSettings } from './schema-general.ts'
import { librarySettings } from './schema-library.ts'
import { routerSettings } from './schema-router.ts'
import { acted, anything, factsOf, kept, list, map, nameOrNames, textLike } from './schema-types.ts'

const credential = z.looseObject({
  credential_name: acted(
    z.string({ error: 'must be text' }),
    'The name that `litellm_credential_name` refers to.',
  ),
  credential_values: acted(
    map,
    'litellm_params that every deployment which names it takes over. `os.environ/` works here.',
  ),
  credential_info: kept(map, 'Facts about it.'),
})

function block<T extends z.ZodType>(schema: T, description: string): z.ZodOptional<z.ZodNullable<T>> {
  return schema.nullish().meta({ description, acted: true, secret: false })
}

/** All of a config.yaml. Types, the JSON Schema and the documentation come from here. */
export const configSchema = z.looseObject({
  model_list: block(z.array(deploymentSchema, { error: 'must be a list' }), 'The deployments.'),
  general_settings: block(generalSettings, 'The server: its key, its health checks, its limits.'),
  litellm_settings: block(librarySettings, 'Requests in general.'),
  router_settings: block(routerSettings, 'Choice between deployments.'),
  environment_variables: block(
    z.record(z.string(), textLike.nullable(), { error: 'must be a map of names to texts' }),
    'Variables for this process; one that is already set wins.',
  ),
  include: block(
    nameOrNames,
    'More files, relative to this one. Lists are put together, maps are merged; an included value wins.',
  ),
  credential_list: block(
    z.array(credential, { error: 'must be a list' }),
    'Connection fields under a name, for several deployments.',
  ),
  callback_settings: kept(map, 'Options of callbacks.'),
  guardrails: kept(list, 'Guardrails.'),
  mcp_servers: kept(map, 'MCP servers.'),
  mcp_tools: kept(list, 'MCP tools.'),
  search_tools: kept(list, 'Search tools.'),
  prompts: kept(list, 'Prompts under a name.'),
  assistant_settings: kept(map, 'Assistants.'),
  finetune_settings: kept(list, 'Fine-tuning.'),
  files_settings: kept(list, 'Files.'),
  default_vertex_config: kept(anything, 'Vertex AI for pass-through routes.'),
  vector_store_registry: kept(list, 'Vector stores.'),
  policies: kept(anything, 'Policies.'),
  policy_attachments: kept(anything, 'Where policies apply.'),
  worker_registry: kept(anything, 'Workers.'),
})

/** One line of the reference: a setting, what it takes, what it does. */
export interface SettingDoc {
  readonly name: string
  readonly type: z.ZodType
  readonly description: string
  readonly acted: boolean
}

/** The settings of a block, for the reference. */
export function describeBlock(schema: {
  readonly shape: Readonly<Record<string, z.ZodType>>
}): readonly SettingDoc[] {
  return Object.entries(schema.shape).map(([name, setting]) => {
    const facts = factsOf(setting)
    return { name, type: setting, description: facts?.description ?? '', acted: facts?.acted ?? true }
  })
}
