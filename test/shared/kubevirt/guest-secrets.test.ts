import { describe, expect, it } from 'vitest'
import { guestSecrets } from '../../../shared/kubevirt/guest-secrets.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { linuxServer, windowsServer } from './definitions.ts'

const labels = expect.objectContaining({ 'drover.dev/machine': 'web-01' })
const of = (changes: Partial<Definition>) => guestSecrets(linuxServer(changes))

describe('what a guest is set up from', () => {
  it('is a Secret where nothing in it is secret, in the form that the cluster shows it', () => {
    expect(of({ guestConfiguration: { userData: 'hello', networkData: 'net', secrets: {} } })).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'web-01-cloudinit', namespace: 'shop', labels },
        type: 'Opaque',
        data: { userdata: 'aGVsbG8=', networkdata: 'bmV0' },
      },
    ])
  })

  it('is nothing where nothing is said', () => {
    expect(of({ guestConfiguration: { secrets: {} } })).toEqual([])
  })

  it('is an ExternalSecret where something is, which is read once and stays when the store forgets', () => {
    const secrets = {
      password: { store: 'vault', key: 'shop/web', property: 'password' },
      token: { store: 'vault', key: 'shop/token' },
      shared: { store: 'vault', storeKind: 'ClusterSecretStore' as const, key: 'all' },
      other: { store: 'safe', key: 'one' },
    }
    expect(of({ guestConfiguration: { userData: 'p: {{ .password }}', secrets } })).toEqual([
      {
        apiVersion: 'external-secrets.io/v1',
        kind: 'ExternalSecret',
        metadata: { name: 'web-01-cloudinit', namespace: 'shop', labels },
        spec: {
          refreshPolicy: 'OnChange',
          refreshInterval: '1h0m0s',
          secretStoreRef: { name: 'vault', kind: 'SecretStore' },
          target: {
            name: 'web-01-cloudinit',
            creationPolicy: 'Owner',
            deletionPolicy: 'Retain',
            template: {
              engineVersion: 'v2',
              mergePolicy: 'Replace',
              type: 'Opaque',
              metadata: { labels },
              data: { userdata: 'p: {{ .password }}' },
            },
          },
          data: [
            { secretKey: 'password', remoteRef: { key: 'shop/web', property: 'password' } },
            { secretKey: 'token', remoteRef: { key: 'shop/token' } },
            {
              secretKey: 'shared',
              remoteRef: { key: 'all' },
              sourceRef: { storeRef: { name: 'vault', kind: 'ClusterSecretStore' } },
            },
            {
              secretKey: 'other',
              remoteRef: { key: 'one' },
              sourceRef: { storeRef: { name: 'safe', kind: 'SecretStore' } },
            },
          ],
        },
      },
    ])
  })

  it('is of two parts on Windows: its network, and its answer file', () => {
    expect(guestSecrets(windowsServer()).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'ExternalSecret win-01-cloudinit',
      'ExternalSecret win-01-sysprep',
    ])
  })
})
