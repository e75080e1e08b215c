import type { Pod } from './claim-types.ts'

const changed = ['kernel 5.14.0-570.12.1.el9_6 -> 5.14.0-570.17.1.el9_6', 'openssl 3.2.2-6.el9_5 -> 3.2.2-7.el9_6']

/** What the programs of Drover's own Jobs say at their end, each by its container's name: when it went well, and when not. */
const tools: Record<string, { well: object; ill: object | string; reads?: true }> = {
  customize: {
    well: { before: 412, changes: changed.length, changed, truncated: false },
    ill: { reason: 'virt-customize: error: the work was made to fail' },
  },
  push: {
    // No registry is there: the digest is that of nothing.
    well: { digest: `sha256:${'d'.repeat(64)}`, size: 1_234_567_890 },
    ill: 'Cannot push the disk: the registry answered 401',
    reads: true,
  },
}

/** The termination message of a pod's program; nothing for a program that is not Drover's. */
export function wordsOf({ spec }: Pod, ending: 'well' | 'ill'): string | undefined {
  const tool = tools[spec.containers?.[0]?.name ?? '']
  const said = tool?.[ending]
  return typeof said === 'string' ? said : said && JSON.stringify(said)
}

/** True for a program that leaves the disks as they are. */
export const onlyReads = ({ spec }: Pod): boolean => tools[spec.containers?.[0]?.name ?? '']?.reads === true
