import type { GuestCustomization } from '../../../shared/schema/guest-customization.ts'

/** A customization that has every field; each call a fresh one, with a change where a case needs it. */
export const everything = (change: Partial<GuestCustomization> = {}): GuestCustomization => ({
  rootPassword: { secret: 'root', key: 'password' },
  subscription: { secret: 'rhel', org: 'org', activationKey: 'key' },
  update: true,
  packages: { install: ['nginx', 'gcc-c++'], remove: ['telnet'] },
  files: [
    { path: '/etc/chrony.conf', content: 'pool ntp.example.com\n', mode: '0644' },
    { path: '/etc/nginx/conf.d/site.conf', content: 'server {}\n', mode: '0640', owner: 'nginx:adm' },
  ],
  run: [{ name: 'tune', content: '#!/bin/sh\ntrue\n' }],
  firstboot: [{ name: 'greet', content: '#!/bin/sh\ntrue\n' }],
  sshKeys: [{ user: 'ann', secret: 'ann', key: 'id_ed25519.pub' }],
  timezone: 'Europe/Berlin',
  hostname: 'golden.example.com',
  selinuxRelabel: false,
  ...change,
})
