import { expect, it } from 'vitest'
import { page } from './page.ts'

const promise = 'No undo and no sync removes a data disk; only a de-provisioning that names it in `destroy` does.'

it.each(['.github/SECURITY.md', 'docs/architecture.md', 'docs/fleet.md', 'docs/operations.md'])(
  '%s promises of data disks what the others do',
  (path) => {
    expect(page(path).replace(/\s+/g, ' ')).toContain(promise)
  },
)
