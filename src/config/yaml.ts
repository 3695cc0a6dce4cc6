import { YAMLException } from 'js-yaml'
import type { Source, YamlNode } from './node.ts'
import { problemAt, type Problem } from './problem.ts'
import { readEvents, type Events } from './yaml-events.ts'
import { UNREADABLE_TAG } from './yaml-scalar.ts'
import { forbiddenTab } from './yaml-tab.ts'
import { Refusal, TreeBuilder } from './yaml-tree.ts'

/** What a file holds. `root` is absent where the text is no YAML, or holds nothing. */
export interface Parsed {
  readonly root?: YamlNode
  readonly problems: readonly Problem[]
}

/**
 * Reads one YAML 1.1 document as PyYAML's safe_load does, each value with its place. A text that PyYAML
 * refuses is one fatal problem; duplicate keys (the last one wins) are warnings.
 */
export function parseYaml(source: Source): Parsed {
  const unprintable = UNPRINTABLE.exec(source.text)
  if (unprintable !== null)
    return refused(source, unprintable.index, 'a control character is not allowed here')
  let read: Events
  try {
    read = readEvents(source.text)
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    return refused(
      source,
      error.mark?.position ?? 0,
      reasonOf(error) + tabHint(source.text, error.mark?.position ?? 0),
    )
  }
  const tab = forbiddenTab(source.text, read.events)
  if (tab !== undefined) return refused(source, tab, 'a TAB is not allowed here; use spaces')
  try {
    const { root, problems } = new TreeBuilder(source, read.text).build(read.events)
    return root === undefined ? { problems } : { root, problems }
  } catch (error) {
    if (error instanceof Refusal) return refused(source, error.at, error.message)
    throw error
  }
}

// PyYAML's Reader.NON_PRINTABLE.
const UNPRINTABLE = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

function refused(source: Source, at: number, reason: string): Parsed {
  return { problems: [problemAt('fatal', { source, at }, '', `not valid YAML: ${reason}`)] }
}

/** The parser's words but for those that quote a tag. */
function reasonOf({ reason }: YAMLException): string {
  return /\btag\b/.test(reason) ? UNREADABLE_TAG : reason
}

function tabHint(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at + 1)
  return line.includes('\t') ? ' (the line has a TAB; YAML wants spaces)' : ''
}
