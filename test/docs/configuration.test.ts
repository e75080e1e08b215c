import { expect, it } from 'vitest'
import { CmdbConfig } from '../../shared/clients/cmdb.ts'
import { toCmdbRecord } from '../../shared/cmdb.ts'
import { runWith } from '../functions/build/runs.ts'
import { firstColumn, page, part } from './page.ts'

const text = part(page('docs/configuration.md'), '## The enterprise system')

it('docs/configuration.md names each field of the file that describes an enterprise system, and each placeholder', () => {
  const placeholders = [...Object.keys(toCmdbRecord(runWith('plan', {}))), 'key', 'state', 'id']
  const wanted = [...Object.keys(CmdbConfig.properties), ...placeholders.map((name) => `\${${name}}`)]
  expect(firstColumn(text).sort()).toEqual(wanted.sort())
})
