import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Customization, Policy } from '../../shared/schema/fleet-files.ts'
import { Template } from '../../shared/schema/template.ts'
import { firstColumn, page, part } from './page.ts'

const text = page('docs/fleet.md')
const fields = ({ properties }: { properties: object }) => Object.keys(properties).sort()

describe('docs/fleet.md', () => {
  it.each([
    ['## Policy', Policy.properties.rules],
    ['## Templates', Template],
    ['## Customizations', Customization],
  ])('names under "%s" each field that its file may have, and no other', (heading, schema) => {
    const [own = ''] = part(text, heading).split('\n### ')
    expect(firstColumn(own).sort()).toEqual(fields(schema))
  })

  const excerpts = [...text.matchAll(/^```yaml\n# (\S+\.yaml)\n(.*?)^```/gms)].map(([, path = '', content = '']) => ({
    path: `examples/fleet/${path}`,
    content,
  }))
  const ofStarter = excerpts.filter(({ path }) => existsSync(new URL(`../../${path}`, import.meta.url)))

  it('shows files of the starter', () => {
    expect(ofStarter.map(({ path }) => path)).toContain('examples/fleet/templates/linux-small.yaml')
  })

  it.each(ofStarter)('shows $path as the starter has it', ({ path, content }) => {
    expect(content).toBe(page(path))
  })
})
