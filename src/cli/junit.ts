import { entryOf } from '../core/entry-of.ts'
/** One deployment as a test of JUnit's. */
export interface TestCase {
  readonly group: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly ms?: number
  /** One line: why it failed, or was skipped. */
  readonly reason: string
  /** All that is known of it. */
  readonly detail?: string
}

/** The cases as JUnit's XML, in the form that CI systems read (Jenkins' schema). `at`: milliseconds since 1970. */
export function junitText(cases: readonly TestCase[], at: number): string {
  const failures = cases.filter(({ outcome }) => outcome === 'failed').length
  const skipped = cases.filter(({ outcome }) => outcome === 'skipped').length
  const seconds = secondsText(cases.reduce((sum, { ms = 0 }) => sum + ms, 0))
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds}"`
  // XML schema's dateTime without a zone is read as UTC.
  const timestamp = new Date(at).toISOString().slice(0, 19)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="pulsegate" ${counts}>`,
    `  <testsuite name="health" timestamp="${timestamp}" ${counts}>`,
    ...cases.map(caseText),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')
}

function caseText({ group, name, outcome, ms = 0, reason, detail }: TestCase): string {
  const head = `    <testcase classname="${escaped(group)}" name="${escaped(name)}" time="${secondsText(ms)}"`
  if (outcome === 'passed') return `${head}/>`
  const message = escaped(reason)
  if (outcome === 'skipped') return `${head}><skipped message="${message}"/></testcase>`
  const type = escaped(/^\w+/.exec(reason)?.[0] ?? 'unhealthy')
  return `${head}><failure type="${type}" message="${message}">${escaped(detail ?? reason)}</failure></testcase>`
}

function secondsText(ms: number): string {
  return (ms / 1000).toFixed(3)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** What XML 1.0 §2.2 does not allow at all, halves of surrogate pairs included, becomes a question mark. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFE\uFFFF]/g, '?')
      .replaceAll(/[&<>"']/g, (each) => entryOf(ENTITIES, each) ?? each)
  )
}
