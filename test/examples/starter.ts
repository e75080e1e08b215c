import { globSync, readFileSync } from 'node:fs'
import type { Unproved } from '../../functions/validate/unproved.ts'
import type { ProvisionRequest } from '../../shared/schema/provision-request.ts'
import type { Run } from '../../shared/step.ts'

const folder = new URL('../../examples/', import.meta.url)

/** The files of the fleet that Drover ships, by path. */
export const starterFiles = (): Record<string, string> => filesIn('fleet/')

/** The requests to provision a machine that Drover ships, structured CloudEvents, by file name. */
export const exampleEvents = (): Record<string, { type: string; data: unknown }> =>
  Object.fromEntries(
    globSync('provision*.json', { cwd: folder.pathname }).map((name) => [
      name,
      JSON.parse(readFileSync(new URL(name, folder), 'utf8')),
    ]),
  )

function filesIn(path: string): Record<string, string> {
  const cwd = new URL(path, folder)
  return Object.fromEntries(
    globSync('**/*.yaml', { cwd: cwd.pathname }).map((name) => [name, readFileSync(new URL(name, cwd), 'utf8')]),
  )
}

/** A small request that the starter fleet grants. */
export const smallRequest = (): ProvisionRequest => ({
  template: 'linux-small',
  namespace: 'shop',
  owner: { kind: 'Group', name: 'team-shop' },
  environment: 'prod',
  application: 'shop',
})

/** A request that nobody has looked at yet, posted by the portal for the person that it names. */
export const asked = (request: unknown, change: Partial<Unproved> = {}): Unproved => ({
  id: 'run',
  lifecycle: 'provision',
  source: '/portal',
  requester: (request as { requester?: string })?.requester ?? '/portal',
  request,
  ...change,
})

/** A run of a request, as the shell would hand it to a step. */
export const runOf = (change: Partial<Run> = {}): Run => ({
  id: '0123456789abcdef0123',
  lifecycle: 'provision',
  task: 'validate',
  request: smallRequest(),
  facts: {},
  fact: 'requested',
  message: '',
  since: '2030-01-01T10:00:00.000Z',
  deadline: '2030-01-01T11:00:00.000Z',
  horizon: '2030-01-01T10:00:00.000Z',
  requester: 'ann@example.com',
  at: '2030-01-01T10:30:00.000Z',
  marks: {},
  ...change,
})
