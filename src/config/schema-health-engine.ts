import * as z from 'zod'
import { HEALTH_STRATEGIES } from '../core/engine-settings.ts'
import { patternOf } from './pattern.ts'
import { acted, flag, notNegative, numeric, positive, positiveWhole } from './schema-types.ts'

/** A share that is not nothing. */
const partOfAll = numeric.refine((value) => value > 0 && value <= 1, {
  error: 'must be a number above 0, up to 1',
})

const factor = numeric.refine((value) => value >= 1 && Number.isFinite(value), {
  error: 'must be a number from 1 on',
})

/** A regular expression. */
const pattern = z
  .string({ error: 'must be a pattern' })
  .refine((text) => patternOf(text) !== undefined, { error: 'must be a pattern' })

/** A block of our own: an unknown key in it is a mistake, and stops the start. */
export function ownBlock<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: 'must be a map' })
}

/** One of some words; YAML 1.1 reads an unquoted `off` as false. */
function wordOrOff<const Words extends readonly string[]>(
  words: Words,
  error: string,
): z.ZodType<Words[number] | 'off', Words[number] | false> {
  return z
    .union([z.enum(words), z.literal(false)], { error })
    .transform((value) => (value === false ? 'off' : value))
}

const thresholds = ownBlock({
  failures: positiveWhole.nullish(),
  ratio: partOfAll.nullish(),
  min_requests: positiveWhole.nullish(),
  window: positive.nullish(),
  rise: positiveWhole.nullish(),
})

const confirm = ownBlock({ min: notNegative.nullish(), max: positive.nullish() }).refine(
  ({ min, max }) => isInOrder(min, max),
  { error: 'min must not be above max', path: ['min'] },
)

const down = ownBlock({
  first: positive.nullish(),
  factor: factor.nullish(),
  cap: positive.nullish(),
  cap_mid: positive.nullish(),
  cap_dear: positive.nullish(),
})
  .refine(({ first, cap }) => isInOrder(first, cap), {
    error: 'first must not be above cap',
    path: ['first'],
  })
  .refine(({ cap, cap_mid: mid }) => isInOrder(cap, mid), {
    error: 'cap must not be above cap_mid',
    path: ['cap'],
  })
  .refine(({ cap, cap_mid: mid, cap_dear: dear }) => isInOrder(mid ?? cap, dear), {
    error: 'cap_dear must not be below the other caps',
    path: ['cap_dear'],
  })

const budget = ownBlock({
  usd_per_day: notNegative.nullish(),
  per_credential: notNegative.nullish(),
  price_ceiling: notNegative.nullish(),
})

const concurrency = ownBlock({
  global: positiveWhole.nullish(),
  per_host: positiveWhole.nullish(),
  per_credential: positiveWhole.nullish(),
})

/** What is not written is in order with everything. */
function isInOrder(low: number | null | undefined, high: number | null | undefined): boolean {
  return typeof low !== 'number' || typeof high !== 'number' || low <= high
}

/** The part of `model_info` that a deployment's checks are ruled by. */
export const deploymentHealthShape = {
  health_check_rung: acted(
    z.enum(['auto', 'none', 'free', 'minimal', 'golden'], {
      error: 'must be auto, none, free, minimal or golden',
    }),
    'How deep the background looks at it: `none`, never; `free`, never for money; `minimal`, in full at each interval, images too; `golden`, as usual and once a day with a question that has one right answer: two wrong ones in a row make it DEGRADED (`quality`). Default: auto.',
  ),
  health_check_expect: acted(
    ownBlock({
      model: pattern.nullish(),
      dimensions: positiveWhole.nullish(),
      prompt: z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' }).nullish(),
      answer: pattern.nullish(),
    }).refine(({ prompt, answer }) => isWritten(prompt) === isWritten(answer), {
      error: 'prompt and answer must be written together',
      path: ['answer'],
    }),
    'What answers to checks must be like, else it is DEGRADED (`wrong_model`): `model`, a pattern for the name that the model answers by; `dimensions`, numbers in an embedding. `prompt` and `answer` (a pattern): the question of golden checks and its right answers, in place of a sum.',
  ),
}

function isWritten(value: unknown): boolean {
  return value !== null && value !== undefined
}

/** The part of `general_settings` that the health engine is ruled by. */
export const healthEngineShape = {
  health_check_strategy: acted(
    wordOrOff(HEALTH_STRATEGIES, `must be one of ${HEALTH_STRATEGIES.join(', ')}`),
    'When the background looks: `passive_first`, where traffic leaves a gap; `always`, at each interval; `free_only`, never for money; `on_demand`, only to confirm a failure and to see its end, also without `background_health_checks`; `off`, never. Default: passive_first.',
  ),
  health_check_idle_max: acted(
    positive,
    'Seconds to which paid looks at an idle, healthy deployment back off. Default: a written `health_check_interval`, else 3600.',
  ),
  health_check_thresholds: acted(
    thresholds,
    'What brings a deployment down and back: `failures` without a success between (default: 5), or a share of `ratio` (0.5) of at least `min_requests` (20) within `window` seconds (30); `rise` successes after the first bring it back (2).',
  ),
  health_check_suspect_confirm: acted(
    confirm,
    'Seconds for which a suspicion waits for traffic before a look decides: `min` (default: 1), `max` (5).',
  ),
  health_check_down: acted(
    down,
    'Seconds between two looks at a deployment that is down: `first` (default: `cooldown_time`, else 5), times `factor` (1.5) each time, up to `cap` (45; 15 where the look is free), `cap_mid` where it costs $0.001 or more (300), `cap_dear` where $0.01 or more (300). Where no cap is written, waits grow to six minutes with the age of the outage.',
  ),
  health_check_budget: acted(
    budget,
    'Dollars for looks: `usd_per_day` in all (default: 5), `per_credential` a day with one key (no limit), `price_ceiling` for one look that confirms a failure (0.005). Looks at the healthy stop at half of the money, those that confirm at four fifths.',
  ),
  health_check_panic: acted(
    wordOrOff(['last_resort', 'off'], 'must be last_resort or off'),
    'Where a whole group is out: `last_resort` sends one request at a time to the likeliest, `off` refuses all. Default: last_resort.',
  ),
  health_check_self_isolation: acted(
    flag,
    'While most hosts are out of reach at once, the network is ours to doubt and nobody is brought down. Default: true.',
  ),
  health_check_staleness_threshold: acted(
    notNegative,
    'Seconds after which a bad verdict that nothing has renewed is given up; 0 counts as not set. Default: 600, or three written intervals where that is more.',
  ),
  enable_health_check_routing: acted(
    flag,
    'False: failed checks are shown and take no traffic away; only failing traffic does. Default: true.',
  ),
  health_check_concurrency: acted(
    z.union([notNegative, concurrency], { error: 'must be a number, or a map' }),
    'Most probes in flight at once (0 or absent: the built-in 64), or a map: `global` (64), `per_host` (16), `per_credential` (16).',
  ),
}
