import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readManifests } from '../../../local/broker/load.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('readManifests reads several documents of a file and leaves out empty ones and other files', async () => {
  await writeFile(join(folder, 'a.yaml'), 'kind: Broker\n---\n---\nkind: Trigger\n')
  await writeFile(join(folder, 'b.yml'), 'kind: Service\n')
  await writeFile(join(folder, 'README.md'), '- no: [yaml')
  expect(await readManifests(folder)).toEqual([{ kind: 'Broker' }, { kind: 'Trigger' }, { kind: 'Service' }])
})

it('readManifests reads what a kustomization names, be it a file or a folder, and nothing else', async () => {
  await mkdir(join(folder, 'base'))
  await writeFile(join(folder, 'kustomization.yaml'), 'kind: Kustomization\nresources: [base, b.yaml]\n')
  await writeFile(join(folder, 'b.yaml'), 'kind: Trigger\n')
  await writeFile(join(folder, 'patch.yaml'), 'kind: Service\n')
  await writeFile(join(folder, 'base', 'kustomization.yaml'), 'kind: Kustomization\nresources: [a.yaml]\n')
  await writeFile(join(folder, 'base', 'a.yaml'), 'kind: Broker\n')
  expect(await readManifests(folder)).toEqual([{ kind: 'Broker' }, { kind: 'Trigger' }])
})

it.each([
  ['a bracket that never closes', 'spec: [1', /^Cannot read .*bad\.yaml: .* at line 1, column/],
  ['a key given twice', 'kind: a\nkind: b', /^Cannot read .*bad\.yaml: Map keys must be unique at line 2, column 1/],
])('readManifests refuses %s', async (_, text, sentence) => {
  await writeFile(join(folder, 'bad.yaml'), text)
  await expect(readManifests(folder)).rejects.toThrow(sentence)
})

it('readManifests says which folder is missing', async () => {
  await expect(readManifests(join(folder, 'none'))).rejects.toThrow(/^Cannot read the folder .*none: ENOENT/)
})
