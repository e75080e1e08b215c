import { DroverError } from '../../errors.ts'
import { isOfNames } from './name.ts'

const LONGEST = 1024
// Characters that some file systems ignore in names, so that `.g<200c>it` would become `.git` there.
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu

/** Throws unless the path is relative, plain, and leads nowhere but into the fleet repository. */
export function checkPath(path: string): void {
  const fault = faultOf(path)
  if (fault !== undefined) {
    throw new DroverError(
      'broken',
      `Cannot use the path ${JSON.stringify(path.slice(0, 200))} in the fleet repository: ${fault}`,
    )
  }
}

/** As checkPath, but the empty path is allowed: it names the repository's root. */
export function checkFolder(path: string): void {
  if (path !== '') checkPath(path)
}

function faultOf(path: string): string | undefined {
  if (path.length > LONGEST) return `it has ${path.length} characters, at most ${LONGEST} are allowed`
  if (!isOfNames(path)) return 'it is not well-formed Unicode'
  if (/[\p{Cc}\p{Zl}\p{Zp}\\]/u.test(path)) return 'it holds a control character or a backslash'
  for (const segment of path.split('/')) {
    const fault = segmentFaultOf(segment)
    if (fault !== undefined) return fault
  }
  return undefined
}

function segmentFaultOf(segment: string): string | undefined {
  if (segment === '') return 'it has an empty segment'
  if (segment === '.' || segment === '..') return `it has the segment "${segment}"`
  const plain = segment
    .replace(IGNORED, '')
    .replace(/[. ]+$/, '')
    .toLowerCase()
  if (plain === '.git' || plain === 'git~1') return "it leads into Git's own folder"
  return undefined
}
