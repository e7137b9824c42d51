/** The links of a panel beside its title: one as an icon, several as a menu. */
import type { DataLink } from '@grafana/data';
import { Dropdown, Icon, Menu, PanelChrome, ToolbarButton } from '@grafana/ui';
import React from 'react';

const NEW_WINDOW = '_blank';

export function PanelLinks({ links }: { links: readonly DataLink[] }): React.ReactElement {
  const [first] = links;
  if (links.length === 1 && first !== undefined) {
    return (
      <PanelChrome.TitleItem href={first.url} target={NEW_WINDOW} title={first.title}>
        <Icon name="external-link-alt" />
      </PanelChrome.TitleItem>
    );
  }
  const menu = (
    <Menu>
      {links.map(({ title, url }) => (
        <Menu.Item key={title} label={title} url={url} target={NEW_WINDOW} icon="external-link-alt" />
      ))}
    </Menu>
  );
  return (
    <Dropdown overlay={menu}>
      <ToolbarButton icon="external-link-alt" iconSize="md" aria-label="Links of the panel" />
    </Dropdown>
  );
}
