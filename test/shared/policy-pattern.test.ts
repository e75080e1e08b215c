import { expect, it } from 'vitest'
import { toMachine } from '../../shared/machine.ts'
import { type Subject, violations } from '../../shared/policy.ts'
import type { Template } from '../../shared/schema/template.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { smallRequest, starterFiles } from '../examples/starter.ts'

it('a pattern that never comes to an end refuses the name, and holds nobody up', () => {
  const template = parseYaml(starterFiles()['templates/linux-small.yaml'] ?? '') as Template
  const request = smallRequest()
  const subject: Subject = { request, ...toMachine(template, request), name: 'a'.repeat(63) }
  const policy = { description: 'names', rules: { names: { pattern: '^(([a-z])+.)+[A-Z]$', wanted: 'something' } } }
  const began = Date.now()
  expect(violations([policy], subject)).toEqual([
    expect.stringContaining('which rules.names.pattern could not be tried on in 100 ms (policy: names)'),
  ])
  expect(Date.now() - began).toBeLessThan(2_000)
})
