import * as z from 'zod'

/**
 * The types of settings. A quoted number is a number and a quoted boolean a boolean, because a value that
 * comes through `os.environ/` is always text.
 */

/** Text. */
export const text = z.string({ error: 'must be text' })

/** Text, or a number that was meant as text (`api_key: 1234`). */
export const textLike = z
  .union([z.string(), z.number()], { error: 'must be text' })
  .transform((value) => String(value))

/** A number, quoted or not. */
export const numeric = z
  .union(
    [
      z.number(),
      z.string().regex(/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/, { error: 'must be a number' }),
    ],
    {
      error: 'must be a number',
    },
  )
  .transform(Number)

/** A number above zero. */
export const positive = numeric.refine((value) => value > 0 && Number.isFinite(value), {
  error: 'must be a number above 0',
})

/** A whole number above zero. */
export const positiveWhole = numeric.refine((value) => value >= 1 && Number.isInteger(value), {
  error: 'must be a whole number above 0',
})

/** A number that is not negative. */
export const notNegative = numeric.refine((value) => value >= 0, { error: 'must not be negative' })

/** A number from 0 to 1. */
export const share = numeric.refine((value) => value >= 0 && value <= 1, {
  error: 'must be a number from 0 to 1',
})

/** True or false, quoted or not. */
export const flag = z
  .union(
    [
      z.boolean(),
      z.string().regex(/^\s*(?:true|false|yes|no|on|off)\s*$/i, { error: 'must be true or false' }),
    ],
    {
      error: 'must be true or false',
    },
  )
  .transform((value) => (typeof value === 'boolean' ? value : /^(?:true|yes|on)$/i.test(value.trim())))

/** True or false, quoted or not, or else the path of a file. */
export const flagOrPath = z.union([flag, text], { error: 'must be true, false or the path of a file' })

/** A list of names. */
export const names = z.array(z.string(), { error: 'must be a list of names' })

/** A list of names; one name alone counts as a list of one. */
export const nameOrNames = z
  .union([z.string(), z.array(z.string())], { error: 'must be a name or a list of names' })
  .transform((value) => (typeof value === 'string' ? [value] : value))

/** A map of any keys. */
export const map = z.record(z.string(), z.unknown(), { error: 'must be a map' })

/** A list of anything. */
export const list = z.array(z.unknown(), { error: 'must be a list' })

/** Not looked at. */
export const anything = z.unknown()

/** What we note about a setting, besides its description. */
export interface SettingFacts {
  readonly description: string
  /** False: loaded and kept, but this version does not act on it. */
  readonly acted: boolean
  /** True: the value never shows anywhere. */
  readonly secret: boolean
}

/** A setting that this version acts on. Null counts as "not set". */
export function acted<T extends z.ZodType>(type: T, description: string): z.ZodOptional<z.ZodNullable<T>> {
  return type.nullish().meta({ description, acted: true, secret: false })
}

/** A setting that this version acts on and whose value is a secret. */
export function actedSecret<T extends z.ZodType>(
  type: T,
  description: string,
): z.ZodOptional<z.ZodNullable<T>> {
  return type.nullish().meta({ description, acted: true, secret: true })
}

/** A setting of LiteLLM's that is loaded and kept, and named at start as not acted on yet. */
export function kept<T extends z.ZodType>(type: T, description: string): z.ZodOptional<z.ZodNullable<T>> {
  return type.nullish().meta({ description, acted: false, secret: false })
}

/** Like `kept`, with a value that is a secret. */
export function keptSecret<T extends z.ZodType>(
  type: T,
  description: string,
): z.ZodOptional<z.ZodNullable<T>> {
  return type.nullish().meta({ description, acted: false, secret: true })
}

const factsSchema = z.object({ description: z.string(), acted: z.boolean(), secret: z.boolean() })

/** Reads back what `acted`, `kept` and their kin noted. */
export function factsOf(setting: z.ZodType): SettingFacts | undefined {
  return factsSchema.safeParse(setting.meta()).data
}
